//! CME MDP 3.0: SBE messages in UDP packets, of any version of schema 1 since 5, from captures.
//!
//! [`wire`] frames packets, messages, blocks and groups without copying; a table of templates says
//! where fields stand. Lines A and B of a channel are arbitrated by packet number, securities
//! checked by their own numbers (`RptSeq`), lost books built again from the snapshot feed.
//!
//! | feed | told by | what is done |
//! |---|---|---|
//! | incremental, A and B | anything else; ports of A and B differ by 1,000 | in order, each packet once |
//! | snapshot | templates 38, 44, 52, 53, 69 | taken by securities whose updates were missed |
//! | instrument replay | definitions that say how many there are (911) | definitions |
//!
//! Prices are those on the wire; `DisplayFactor` stands in the definition.
//! Sources: CME Globex MDP 3.0 and its `templates_FixBinary.xml`, FIX Simple Binary Encoding 1.0.

mod channel;
mod chunks;
mod decode;
mod definition;
mod levels;
mod lines;
mod losses;
mod order_snapshot;
mod orders;
pub mod recording;
mod registry;
mod resting;
mod security;
mod snapshot;
mod spans;
mod templates;
pub mod wire;
