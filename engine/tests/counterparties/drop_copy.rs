//! A drop copy of another venue's trades: it tells each once more, and takes no orders.

use crate::acceptor::{Acceptor, Seen, Venue};
use crate::book::{Book, Order, Told};
use crate::text::{Fields, Message};
use std::sync::{Arc, Mutex, PoisonError};

pub(crate) struct DropCopy(Arc<Mutex<Seen>>);

impl DropCopy {
    pub(crate) fn of(venue: &Acceptor) -> DropCopy {
        DropCopy(venue.share())
    }
}

impl Venue for DropCopy {
    fn begin_string(&self) -> &'static str {
        "FIX.4.4"
    }

    fn comp_id(&self) -> &'static str {
        "DERIBITSERVER"
    }

    fn logon(&mut self, _logon: &Message) -> Result<Fields, String> {
        Ok(Vec::new())
    }

    fn cancels_on_disconnect(&self, _logon: &Message) -> bool {
        false
    }

    fn says(&mut self) -> Vec<Fields> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).copies)
    }

    fn report(&self, _order: &Order, _told: Told) -> Fields {
        Vec::new()
    }

    fn cancel_reject(&self, _request: &Message) -> Fields {
        Vec::new()
    }

    fn judge_order(&self, _order: &Message) -> Result<(), String> {
        Err("a drop copy takes no orders".to_owned())
    }

    fn other(&mut self, _request: &Message, _book: &mut Book) -> Option<Vec<Fields>> {
        None
    }
}
