//! The other side of the wire: matching, order flow, overlay and latency models.
