//! A real counterparty: QuickFIX (C++) as acceptor and as initiator, against our gateway stage, the
//! whole engine and the demo exchange. Needs `--features quickfix`, cmake and a C++ compiler.
//!
//! QuickFIX listens on all addresses and keeps its sessions in global variables, so every test is a
//! process of its own in a network of its own. Every wait is bounded; no time is asserted.

mod alone;
mod capture;

mod client;
mod desk;
mod exchange;

mod fix;
#[allow(dead_code)]
#[path = "../sockets/host.rs"]
mod host;
#[allow(dead_code)]
#[path = "../sockets/lab.rs"]
mod lab;

mod numbers;
mod orders;
mod program;

#[path = "../support/mod.rs"]
mod support;
mod tap;
mod venue;
mod walk;

/// Makes scenarios tests of every version, each in a process of its own. A version is a line here.
macro_rules! scenarios {
    ($($name:ident)*) => {
        $crate::scenarios! { @ fix42 Fix42 $($name)* }
        $crate::scenarios! { @ fix44 Fix44 $($name)* }
        $crate::scenarios! { @ fix50sp2 Fix50Sp2 $($name)* }
    };
    (@ $module:ident $version:ident $($name:ident)*) => {
        mod $module {
            $(
                #[test]
                fn $name() {
                    let test = concat!(module_path!(), "::", stringify!($name));
                    $crate::alone::run(test, || super::$name(gateway::spec::Version::$version));
                }
            )*
        }
    };
}
pub(crate) use scenarios;
