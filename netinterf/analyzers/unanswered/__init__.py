"""What was said and never answered, whatever the cause: a room that analyzers of silences and of freezes share.

One row per silent connection (`silences`); how data, requests and datagrams come to be unanswered (`unacked`,
`waiting`, `datagrams`); and whether only large packets were (`sizes`).
"""
