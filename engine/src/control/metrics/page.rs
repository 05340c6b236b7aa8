//! The page that is scraped: the table's rows and the hop histograms in the text format of
//! Prometheus 0.0.4. Asks the stages once for each page.

use super::table::{HOP, Kind, METRICS, Metric, hop_names};
use crate::pipeline::telemetry::Telemetry;
use hdrhistogram::Histogram;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long the stages may take to tell how they stand.
const TELL_WITHIN: Duration = Duration::from_millis(200);

/// Upper ends of the histograms' buckets, in nanoseconds; one without an end follows.
const BUCKETS: [u64; 22] = [
    100,
    250,
    500,
    1_000,
    2_500,
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    1_000_000_000,
    10_000_000_000,
];

/// Everything there is to scrape.
pub(super) struct Page {
    registry: Registry,
}

impl Page {
    pub(super) fn new(telemetry: Arc<Mutex<Telemetry>>) -> Page {
        let mut registry = Registry::with_prefix("touchline");
        registry.register_collector(Box::new(Reader { telemetry }));
        Page { registry }
    }

    /// The text of one scrape.
    pub(super) fn text(&self) -> Result<String, fmt::Error> {
        let mut page = String::new();
        text::encode(&mut page, &self.registry)?;
        Ok(page)
    }
}

/// Reads telemetry when scraped.
struct Reader {
    telemetry: Arc<Mutex<Telemetry>>,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reader")
    }
}

impl Collector for Reader {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut telemetry: MutexGuard<'_, Telemetry> =
            self.telemetry.lock().unwrap_or_else(PoisonError::into_inner);
        telemetry.refresh(TELL_WITHIN);
        for metric in METRICS {
            row(&mut encoder, metric, &telemetry)?;
        }
        let (name, help) = HOP;
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
        for (name, histogram) in hop_names().zip(&telemetry.hops()) {
            let labels = [("hop", name)];
            hop(family.encode_family(&labels)?, histogram)?;
        }
        Ok(())
    }
}

fn row(encoder: &mut DescriptorEncoder<'_>, metric: &Metric, telemetry: &Telemetry) -> fmt::Result {
    let kind = match metric.kind {
        Kind::Counter => MetricType::Counter,
        Kind::Gauge => MetricType::Gauge,
    };
    let name = metric.full_name();
    let mut family = encoder.encode_descriptor(&name, metric.help, None, kind)?;
    let mut outcome = Ok(());
    (metric.read)(telemetry, &mut |labels, value| {
        // A plain number: what OpenMetrics calls a counter has another name than its samples.
        let encoded = match labels {
            [] => family.encode_gauge(&value),
            labels => family.encode_family(&labels).and_then(|mut one| one.encode_gauge(&value)),
        };
        outcome = outcome.and(encoded);
    });
    outcome
}

/// One hop's histogram. The sum is as exact as its digits: within a hundredth.
#[allow(clippy::cast_precision_loss)]
fn hop(mut encoder: MetricEncoder<'_>, histogram: &Histogram<u64>) -> fmt::Result {
    let mut from = 0;
    let mut counts = [(f64::INFINITY, 0); BUCKETS.len() + 1];
    let mut counted = 0;
    for (slot, end) in counts.iter_mut().zip(BUCKETS) {
        let count = histogram.count_between(from, end);
        *slot = (end as f64 / 1e9, count);
        counted += count;
        from = end + 1;
    }
    counts[BUCKETS.len()].1 = histogram.len().saturating_sub(counted);
    let sum = histogram.mean() * histogram.len() as f64 / 1e9;
    encoder.encode_histogram::<NoLabelSet>(sum, histogram.len(), &counts, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::testing::Engine;
    use crate::latency::recorder;

    /// HDR buckets straddle the ends: no value may be counted twice or lost.
    #[test]
    fn every_value_is_in_one_bucket() {
        let mut histogram = recorder::empty_histogram();
        let mut value = 1;
        while value < 20_000_000_000 {
            histogram.saturating_record(value);
            value += value / 50 + 1;
        }
        let mut registry = Registry::default();
        #[derive(Debug)]
        struct One(Histogram<u64>);
        impl Collector for One {
            fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
                hop(encoder.encode_descriptor("h", "h", None, MetricType::Histogram)?, &self.0)
            }
        }
        let len = histogram.len();
        registry.register_collector(Box::new(One(histogram)));
        let mut page = String::new();
        text::encode(&mut page, &registry).unwrap();
        assert!(page.contains(&format!("h_bucket{{le=\"+Inf\"}} {len}\n")), "{page}");
        let cumulated = page.lines().filter(|line| line.starts_with("h_bucket")).map(|line| {
            line.rsplit(' ').next().and_then(|count| count.parse::<u64>().ok()).unwrap()
        });
        let cumulated: Vec<_> = cumulated.collect();
        assert!(cumulated.is_sorted() && cumulated.len() == BUCKETS.len() + 1);
    }

    #[test]
    fn names_are_fit_for_prometheus_and_stand_once() {
        let mut names: Vec<_> = METRICS.iter().map(|metric| metric.name).collect();
        names.push(HOP.0);
        for name in &names {
            let fit = |c: char| c.is_ascii_lowercase() || c == '_';
            assert!(name.chars().all(fit) && !name.ends_with("_total"), "{name}");
        }
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn a_page_without_an_answer_is_a_page() {
        let engine = Engine::stalled();
        let page = Page::new(engine.telemetry.clone()).text().unwrap();
        assert!(page.contains("touchline_trading_fills_total 0.0\n"), "{page}");
        assert!(page.ends_with("# EOF\n"));
    }
}
