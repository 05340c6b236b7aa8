//! Memory: what the kernel may do to pages behind a hot core's back.

use super::finding::Finding;
use super::host::{Host, chosen, field};

pub(super) fn check(host: &Host) -> Vec<Finding> {
    let number = |path: &str| host.number(path);
    vec![
        huge_pages(host.read("sys/kernel/mm/transparent_hugepage/enabled")),
        swap(host.read("proc/meminfo"), number("proc/sys/vm/swappiness")),
        balancing(number("proc/sys/kernel/numa_balancing")),
        reserved(number("proc/sys/vm/nr_hugepages")),
    ]
}

fn huge_pages(text: Result<String, String>) -> Finding {
    let check = "thp";
    let text = match text {
        Ok(text) => text,
        Err(why) => return Finding::unknown(check, why),
    };
    match chosen(&text) {
        None => Finding::unknown(check, format!("it says {:?}", text.trim())),
        Some("always") => Finding::warning(check, "transparent huge pages: always")
            .costs("khugepaged moves pages that are in use: stalls of up to milliseconds")
            .mend("echo madvise > /sys/kernel/mm/transparent_hugepage/enabled"),
        Some(word) => Finding::ok(check, format!("transparent huge pages: {word}")),
    }
}

fn swap(meminfo: Result<String, String>, swappiness: Result<i64, String>) -> Finding {
    let check = "swap";
    let meminfo = match meminfo {
        Ok(meminfo) => meminfo,
        Err(why) => return Finding::unknown(check, why),
    };
    let total = field(&meminfo, "SwapTotal").and_then(|text| text.split_whitespace().next());
    match total.and_then(|kib| kib.parse::<u64>().ok()) {
        None => Finding::unknown(check, "no SwapTotal in /proc/meminfo"),
        Some(0) => Finding::ok(check, "none"),
        Some(kib) => {
            let swappiness = swappiness.map_or("unknown".to_owned(), |value| value.to_string());
            let found = format!("{} MiB of swap, swappiness {swappiness}", kib >> 10);
            Finding::warning(check, found)
                .costs("a page that was swapped out costs a disk read when it is touched")
                .mend("swapoff -a, or sysctl -w vm.swappiness=0 with memory that can be locked")
        }
    }
}

fn balancing(value: Result<i64, String>) -> Finding {
    let check = "numa";
    match value {
        Err(why) => Finding::unknown(check, why),
        Ok(0) => Finding::ok(check, "no NUMA balancing"),
        Ok(_) => Finding::warning(check, "NUMA balancing is on")
            .costs("pages in use are unmapped to see who touches them: a fault of 1 to 10 µs each")
            .mend("sysctl -w kernel.numa_balancing=0"),
    }
}

/// The engine asks for none: told so that nobody wonders.
fn reserved(count: Result<i64, String>) -> Finding {
    let check = "huge pages";
    match count {
        Err(why) => Finding::unknown(check, why),
        Ok(count) => Finding::ok(check, format!("{count} reserved; the engine needs none")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Severity::{Ok as Well, Warning};
    use super::*;

    #[test]
    fn samples_and_odd_texts() {
        let text = |text: &str| Ok(text.to_owned());
        assert_eq!(huge_pages(text("always [madvise] never\n")).severity, Well);
        assert_eq!(huge_pages(text("[always] madvise never\n")).severity, Warning);
        let none = text("MemTotal: 1 kB\nSwapTotal:             0 kB\n");
        assert_eq!(swap(none, Ok(60)).found, "none");
        let some = swap(text("SwapTotal:       2097148 kB\n"), Ok(60));
        assert_eq!(
            (some.severity, some.found.as_str()),
            (Warning, "2047 MiB of swap, swappiness 60")
        );
        assert_eq!(balancing(Ok(1)).severity, Warning);
        for odd in
            [huge_pages(text("")), swap(text("SwapTotal: much"), Ok(0)), reserved(Err("x".into()))]
        {
            assert!(odd.found.starts_with("cannot tell"), "{odd:?}");
        }
    }
}
