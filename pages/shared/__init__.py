"""What several pages share: the server's resources, the analyst's view, the frame, the words.

    server      settings, the one DuckDB owner, cached questions to it
    view        the shared choices: data set, metrics, split, protocol, baseline, pins
    frame       the sidebar
    jobs        progress of the queue
    tables      a table with its download
    words       numbers and times as text
    boundary    no traceback reaches the screen
"""
