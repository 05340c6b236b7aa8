//! Market events in, wanted quotes out: the strategies and the quoter.
