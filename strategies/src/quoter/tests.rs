//! What the quoter must keep.
