//! The second session of a venue, which tells trades once more, and which core polls it.
//!
//! It is given the threads of the other stages and never asks the machine.

use super::cores::{Stage, Thread};
use super::document::Document;
use super::fix_choices::RateScope;
use super::fix_words::FixField;
use super::key::section;
use super::problem::{Problem, Problems};
use super::profile::{ProfileConfig, leaves_room};
use super::sections::CoresConfig;
use super::special::{Core, Endpoint};
use std::path::PathBuf;

section! {
    /// A drop copy session: trades that the venue tells there count once, whoever tells them first.
    /// It speaks as the order session does, but asks for no cancel on disconnect: a break of it says
    /// nothing of the orders. It connects as `[transport]` says.
    pub struct DropCopyConfig = "drop_copy" {
        /// The venue's drop copy port; no drop copy when absent.
        address: Option<Endpoint> => "127.0.0.1:9881", [1, 65_535];
        /// SenderCompID (49): us; that of `[gateway]` when absent.
        sender_comp_id: Option<String> => "TL-COPY", [1, 64];
        /// TargetCompID (56): the venue; that of `[gateway]` when absent.
        target_comp_id: Option<String> => "EXCHANGE", [1, 64];
        /// HeartBtInt (108); that of `[gateway]` when absent.
        heartbeat_s: Option<u32> => 30, [1, 3_600];
        /// File of its credentials, as that of `[gateway]`, which is taken when absent.
        #[danger = "whoever reads it may listen in our name, or trade if the key may"]
        credentials: Option<PathBuf> => "/etc/touchline/drop-copy.credentials";
        /// The CPU that polls it; "auto" is that of the gateway, "none" a thread that is not pinned.
        core: Core = "auto";
        /// Constant fields of its Logon, beside those of the profile.
        fields: Vec<FixField> = [] => ["9406=Y"];
    }
}

impl DropCopyConfig {
    /// Puts its stage on one of the threads of the others, or on one of its own.
    pub(crate) fn place(&self, threads: &mut Vec<Thread>, pin: bool) {
        let shares = |thread: &Thread| match self.core {
            Core::Auto => thread.polls(Stage::Gateway),
            Core::Cpu(cpu) => pin && thread.cpu == Some(cpu),
            Core::None => false,
        };
        let cpu = match self.core {
            Core::Cpu(cpu) if pin => Some(cpu),
            _ => None,
        };
        match threads.iter_mut().find(|thread| shares(thread)) {
            Some(thread) => thread.stages.push(Stage::DropCopy),
            None => threads.push(Thread { stages: vec![Stage::DropCopy], cpu }),
        }
    }
}

/// Sessions that share a limit of the venue share a core, and each has a place in it.
pub(crate) fn check(
    document: &Document<'_>,
    drop_copy: &DropCopyConfig,
    cores: &CoresConfig,
    venue: &ProfileConfig,
    problems: &mut Problems,
) {
    if drop_copy.address.is_none() {
        return;
    }
    let mut shared = venue.rates.iter().filter(|rate| rate.scope != RateScope::Session);
    if let Some(rate) = shared.clone().find(|rate| !leaves_room(rate, 1)) {
        let title = format!("[drop_copy] limit {} has no room for a second session", rate.name);
        let place = document.place("drop_copy", "address");
        let label = "its messages count there, and none is left for an order";
        let help = "raise the limit's count, or lower its cancel_reserve_percent";
        problems.push(Problem::new(place, title, label).help(help));
    }
    let together = match drop_copy.core {
        Core::Auto => true,
        Core::Cpu(_) => cores.pin && drop_copy.core == cores.gateway,
        Core::None => false,
    };
    if let Some(rate) = shared.next().filter(|_| !together) {
        let title = "[drop_copy] core is not that of the gateway, and the two share a limit";
        let label = format!("limit {} counts the {}'s sessions together", rate.name, rate.scope);
        let place = document.place("drop_copy", "core");
        problems.push(Problem::new(place, title, label).help("leave core out, or write \"auto\""));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_shares_the_gateways_thread_unless_told() {
        let threads = || {
            vec![
                Thread { stages: vec![Stage::Feed, Stage::Trading], cpu: Some(1) },
                Thread { stages: vec![Stage::Gateway], cpu: Some(2) },
            ]
        };
        let placed = |core, pin| {
            let mut threads = threads();
            let config = DropCopyConfig {
                address: None,
                sender_comp_id: None,
                target_comp_id: None,
                heartbeat_s: None,
                credentials: None,
                core,
                fields: Vec::new(),
            };
            config.place(&mut threads, pin);
            let found = threads.iter().position(|thread| thread.polls(Stage::DropCopy));
            (found, threads.last().and_then(|thread| thread.cpu))
        };
        assert_eq!(placed(Core::Auto, true), (Some(1), Some(2)));
        assert_eq!(placed(Core::Cpu(1), true), (Some(0), Some(2)));
        assert_eq!(placed(Core::Cpu(3), true), (Some(2), Some(3)));
        assert_eq!(placed(Core::Cpu(3), false), (Some(2), None));
        assert_eq!(placed(Core::None, true), (Some(2), None));
    }
}
