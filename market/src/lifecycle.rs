//! The order life cycle: one transition table. An illegal move is a value to be counted.
//!
//! ```text
//!  send ─▶ PendingNew ─accepted─▶ Live ─replace─▶ PendingReplace ─replaced/refused─▶ Live
//!             │                    ├──cancel──▶ PendingCancel ──refused──▶ Live
//!             │                    │                └──canceled──▶ Canceled
//!             └─refused─▶ Rejected ├──last fill──▶ Filled
//!                                  └──ran out──▶ Expired
//!  any open state ─link lost, or the venue contradicts us─▶ Unknown ─the venue tells─▶ Live or closed
//! ```

/// Where an order stands. `Unknown` counts fully in exposure until the venue resolves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum OrderState {
    /// Sent, not answered.
    PendingNew = 1,
    /// Resting at the venue.
    Live = 2,
    /// A replace is in flight.
    PendingReplace = 3,
    /// A cancel is in flight.
    PendingCancel = 4,
    /// May or may not be at the venue.
    Unknown = 5,
    /// Wholly traded.
    Filled = 6,
    /// Taken off.
    Canceled = 7,
    /// Never taken in.
    Rejected = 8,
    /// Ran out.
    Expired = 9,
}

/// What may happen to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderEvent {
    /// The venue took it in.
    Accepted,
    /// The venue (or our gateway, before the wire) refused it.
    Rejected,
    /// A fill that leaves something open.
    PartlyFilled,
    /// The fill that leaves nothing.
    Filled,
    /// We sent a replace.
    ReplaceSent,
    /// The venue replaced it.
    Replaced,
    /// We sent a cancel.
    CancelSent,
    /// The venue canceled it, asked or unasked.
    Canceled,
    /// Our cancel or replace was refused and the order lives on.
    RequestRefused,
    /// It ran out.
    Expired,
    /// The link broke, no answer came in time, or the venue contradicts what we know.
    Lost,
    /// The venue named it as open in a status report.
    ToldOpen,
}

/// A move that the table does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IllegalMove {
    /// The state it was in.
    pub state: OrderState,
    /// What happened.
    pub event: OrderEvent,
}

impl std::fmt::Display for IllegalMove {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "an order in state {:?} cannot take {:?}", self.state, self.event)
    }
}

impl OrderState {
    /// Every state.
    pub const ALL: [OrderState; 9] = [
        OrderState::PendingNew,
        OrderState::Live,
        OrderState::PendingReplace,
        OrderState::PendingCancel,
        OrderState::Unknown,
        OrderState::Filled,
        OrderState::Canceled,
        OrderState::Rejected,
        OrderState::Expired,
    ];

    /// True while the order may still trade.
    #[must_use]
    pub const fn is_open(self) -> bool {
        (self as u8) <= OrderState::Unknown as u8
    }

    /// True while an answer of the venue is awaited.
    #[must_use]
    pub const fn is_pending(self) -> bool {
        matches!(
            self,
            OrderState::PendingNew | OrderState::PendingReplace | OrderState::PendingCancel
        )
    }

    /// The state after `event`.
    ///
    /// # Errors
    /// [`IllegalMove`]; the order keeps its state and the caller counts it.
    pub const fn after(self, event: OrderEvent) -> Result<OrderState, IllegalMove> {
        use OrderEvent as E;
        use OrderState as S;
        Ok(match (self, event) {
            (S::PendingNew | S::Unknown | S::Live, E::Accepted) => S::Live,
            // The fill overtook the acknowledgement, and a request of ours after it.
            (
                S::PendingReplace | S::PendingCancel | S::Filled | S::Canceled | S::Expired,
                E::Accepted,
            ) => self,
            // PendingCancel: the answer to the new order came late, after we gave up and canceled.
            (S::PendingNew | S::Unknown | S::PendingCancel, E::Rejected) => S::Rejected,
            (S::PendingNew | S::Live, E::PartlyFilled) => S::Live,
            // A fill may reach us after the cancel did; the position counts it all the same.
            (
                S::PendingReplace | S::PendingCancel | S::Unknown | S::Canceled | S::Expired,
                E::PartlyFilled,
            ) => self,
            (
                S::PendingNew
                | S::Live
                | S::PendingReplace
                | S::PendingCancel
                | S::Unknown
                | S::Canceled
                | S::Expired,
                E::Filled,
            ) => S::Filled,
            (S::Live, E::ReplaceSent) => S::PendingReplace,
            (S::PendingReplace | S::Unknown | S::Live, E::Replaced) => S::Live,
            // The same with a replace: it took place, and the cancel is still to be answered.
            (S::PendingCancel, E::Replaced) => self,
            (S::Live | S::Unknown, E::CancelSent) => S::PendingCancel,
            (
                S::PendingNew | S::Live | S::PendingReplace | S::PendingCancel | S::Unknown,
                E::Canceled,
            ) => S::Canceled,
            (S::PendingReplace | S::PendingCancel, E::RequestRefused) => S::Live,
            // Refused because the order was closed already, or resolved by the status to come.
            (S::Unknown | S::Filled | S::Canceled | S::Expired | S::Live, E::RequestRefused) => {
                self
            }
            (
                S::PendingNew | S::Live | S::PendingReplace | S::PendingCancel | S::Unknown,
                E::Expired,
            ) => S::Expired,
            (
                S::PendingNew | S::Live | S::PendingReplace | S::PendingCancel | S::Unknown,
                E::Lost,
            ) => S::Unknown,
            (S::PendingNew | S::Unknown | S::Live, E::ToldOpen) => S::Live,
            (S::PendingReplace | S::PendingCancel, E::ToldOpen) => self,
            (state, event) => return Err(IllegalMove { state, event }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: [OrderEvent; 12] = [
        OrderEvent::Accepted,
        OrderEvent::Rejected,
        OrderEvent::PartlyFilled,
        OrderEvent::Filled,
        OrderEvent::ReplaceSent,
        OrderEvent::Replaced,
        OrderEvent::CancelSent,
        OrderEvent::Canceled,
        OrderEvent::RequestRefused,
        OrderEvent::Expired,
        OrderEvent::Lost,
        OrderEvent::ToldOpen,
    ];

    #[test]
    fn closed_orders_never_reopen() {
        for state in OrderState::ALL.into_iter().filter(|state| !state.is_open()) {
            for event in EVENTS {
                if let Ok(next) = state.after(event) {
                    assert!(!next.is_open(), "{state:?} + {event:?} reopened as {next:?}");
                }
            }
        }
    }

    #[test]
    fn every_open_state_can_be_lost_filled_and_canceled() {
        for state in OrderState::ALL.into_iter().filter(|state| state.is_open()) {
            assert_eq!(state.after(OrderEvent::Lost), Ok(OrderState::Unknown));
            assert_eq!(state.after(OrderEvent::Filled), Ok(OrderState::Filled));
            assert_eq!(state.after(OrderEvent::Canceled), Ok(OrderState::Canceled));
        }
    }

    /// After a timeout we cancel; then the answer to the first request comes after all.
    #[test]
    fn late_answers_are_legal() {
        use OrderEvent as E;
        let through = |events: &[OrderEvent]| {
            let start = Ok(OrderState::PendingNew);
            events.iter().fold(start, |state, &event| state.and_then(|state| state.after(event)))
        };
        let canceling = [E::Lost, E::CancelSent];
        assert_eq!(through(&[&canceling[..], &[E::Rejected]].concat()), Ok(OrderState::Rejected));
        let replacing = [E::Accepted, E::ReplaceSent, E::Lost];
        let late = [&replacing[..], &[E::CancelSent, E::Replaced]].concat();
        assert_eq!(through(&late), Ok(OrderState::PendingCancel));
        let told = [&replacing[..], &[E::ToldOpen, E::Replaced]].concat();
        assert_eq!(through(&told), Ok(OrderState::Live));
        assert_eq!(through(&[E::Expired, E::Accepted]), Ok(OrderState::Expired));
    }

    #[test]
    fn a_request_needs_a_live_order() {
        assert!(OrderState::PendingNew.after(OrderEvent::ReplaceSent).is_err());
        assert!(OrderState::PendingReplace.after(OrderEvent::CancelSent).is_err());
        assert!(OrderState::Rejected.after(OrderEvent::Filled).is_err());
        let refused = OrderState::Filled.after(OrderEvent::ReplaceSent).unwrap_err();
        assert_eq!(refused.to_string(), "an order in state Filled cannot take ReplaceSent");
    }
}
