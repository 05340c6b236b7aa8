//! Orders in, FIX out: codec, session and the mapping of commands and reports.
