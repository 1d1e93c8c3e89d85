"""Jobs: what is to be trained or fetched, who does it, and where the results end up.

control     the facade for pages and commands: plan, request, follow, cancel, start the worker
queue       jobs, sweeps and their states (SQLite; all of its SQL)
worker      the one process per cache folder that hands jobs to the runner
runner      where a job runs: one single-process executor for each core
attempt     one try at a job, seen from inside its process: progress, cancel mark, log, result
training    a run, from data and settings to factors and metrics: a pure function
artifacts   the store of finished runs
estimates   how long a run will take, from those that were timed
"""
