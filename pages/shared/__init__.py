"""What several pages share: the server's resources, the analyst's view, the frame, the words.

server      settings, the one DuckDB owner, cached questions to it
view        the shared choices: data set, metrics, split, protocol, baseline, pins
menu        which pages there are
frame       the sidebar
jobs        progress of the queue
importing   the Data page's Add tab
adding      the Data page's Lists tab
uploads     files handed over by the browser
people      choosing a user: by id, by a title they took, the next, anybody
lists       two recommendation lists side by side
tables      a table with its download
words       numbers and times as text
boundary    no traceback reaches the screen
"""
