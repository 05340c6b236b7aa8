//! The one description of a configuration key: name, type, range, default, danger, documentation.
//!
//! A [`Key`] is written once, by the `section!` macro beside the field it fills. Reading, error
//! messages, `config/reference.toml` and the resolved text all come from it. It must never be
//! joined by a second list.

/// One key of a section.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    /// As it stands in the file; ends in its unit where it has one.
    pub(crate) name: &'static str,
    /// What it means, a line each.
    pub(crate) doc: &'static [&'static str],
    /// What goes wrong with a careless value.
    pub(crate) danger: Option<&'static str>,
    /// TOML text taken when the key is absent.
    pub(crate) default: Option<&'static str>,
    /// TOML text to show where there is no default.
    pub(crate) example: Option<&'static str>,
    /// Smallest and largest number, length or port, both included.
    pub(crate) range: Option<(&'static str, &'static str)>,
    /// Words for what may stand there.
    pub(crate) expects: fn(&Key) -> String,
    /// True when the key may be absent without a default.
    pub(crate) optional: bool,
}

/// A section of a file: `[name]`, or `[[name]]` when it repeats.
#[derive(Clone, Copy)]
pub(crate) struct Table {
    /// As in the header.
    pub(crate) name: &'static str,
    /// What it is for.
    pub(crate) doc: &'static [&'static str],
    /// Its keys, in the order of the documentation.
    pub(crate) keys: &'static [Key],
    /// True for `[[name]]`.
    pub(crate) repeats: bool,
}

impl Table {
    /// The header in the file.
    #[must_use]
    pub(crate) fn header(&self) -> String {
        if self.repeats { format!("[[{}]]", self.name) } else { format!("[{}]", self.name) }
    }
}

/// A unit that a key's name ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    /// The end of the key's name.
    pub(crate) suffix: &'static str,
    /// In words.
    pub(crate) words: &'static str,
    /// Nanoseconds in one, for units of time.
    pub(crate) nanos: Option<u32>,
}

const UNITS: [Unit; 6] = [
    Unit { suffix: "_us", words: "microseconds", nanos: Some(1_000) },
    Unit { suffix: "_ms", words: "milliseconds", nanos: Some(1_000_000) },
    Unit { suffix: "_s", words: "seconds", nanos: Some(1_000_000_000) },
    Unit { suffix: "_bytes", words: "bytes", nanos: None },
    Unit { suffix: "_bps", words: "basis points", nanos: None },
    Unit { suffix: "_ticks", words: "ticks", nanos: None },
];

/// The unit of a key's name.
#[must_use]
pub(crate) fn unit_of(name: &str) -> Option<&'static Unit> {
    UNITS.iter().find(|unit| name.ends_with(unit.suffix))
}

/// A key's name without its unit.
#[must_use]
pub(crate) fn stem(name: &str) -> &str {
    unit_of(name).and_then(|unit| name.strip_suffix(unit.suffix)).unwrap_or(name)
}

impl Key {
    /// The ends of the range, without the spaces and underscores of their source text.
    #[must_use]
    pub(crate) fn bounds(&self) -> Option<(String, String)> {
        let plain = |text: &str| text.replace(['_', ' '], "");
        self.range.map(|(min, max)| (plain(min), plain(max)))
    }

    /// What may stand there, in words: type, unit and range.
    #[must_use]
    pub(crate) fn allowed(&self) -> String {
        (self.expects)(self)
    }

    /// A value that would do: the default, else the example.
    #[must_use]
    pub(crate) fn sample(&self) -> Option<&'static str> {
        self.default.or(self.example)
    }

    /// True if the file must name the key.
    #[must_use]
    pub(crate) fn is_required(&self) -> bool {
        self.default.is_none() && !self.optional
    }
}

/// A section that the `section!` macro defined.
pub(crate) trait Section: Sized {
    /// Its description.
    const TABLE: Table;
    /// Reads every field; `None` when one is wrong, which the reader has then recorded.
    fn read(reader: &mut super::reader::Reader<'_, '_>) -> Option<Self>;
    /// Each present key with its canonical TOML text.
    fn write(&self) -> Vec<(&'static str, String)>;
}

/// Defines a section: a struct with one public field a key, its [`Table`] and its reading and
/// writing. A field reads `key: Type [= default] [=> example] [, [min, max]];` where a
/// field without default is required unless its type is an `Option`.
macro_rules! section {
    (
        $(#[doc = $doc:literal])+
        pub struct $section:ident = $table:literal $($repeats:ident)? {
            $(
                $(#[doc = $field_doc:literal])+
                $(#[danger = $danger:literal])?
                $field:ident: $type:ty
                $(= $default:expr)? $(=> $example:expr)? $(, [$min:literal, $max:literal])? ;
            )+
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq)]
        pub struct $section {
            $( $(#[doc = $field_doc])+ pub $field: $type, )+
        }

        impl $crate::config::key::Section for $section {
            const TABLE: $crate::config::key::Table = $crate::config::key::Table {
                name: $table,
                doc: &[$($doc),+],
                keys: &[$(
                    $crate::config::key::Key {
                        name: stringify!($field),
                        doc: &[$($field_doc),+],
                        danger: section!(@option $($danger)?),
                        default: section!(@text $($default)?),
                        example: section!(@text $($example)?),
                        range: section!(@range $($min, $max)?),
                        expects: <$type as $crate::config::value::Field>::expects,
                        optional: <$type as $crate::config::value::Field>::OPTIONAL,
                    },
                )+],
                repeats: section!(@repeats $($repeats)?),
            };

            fn read(reader: &mut $crate::config::reader::Reader<'_, '_>) -> Option<Self> {
                $(
                    let $field: Option<$type> = reader.field(
                        Self::TABLE.keys, stringify!($field),
                    );
                )+
                Some(Self { $( $field: $field?, )+ })
            }

            fn write(&self) -> Vec<(&'static str, String)> {
                let mut written = Vec::new();
                $(
                    let name = stringify!($field);
                    let text = $crate::config::value::Field::write(&self.$field, name);
                    written.extend(text.map(|text| (name, text)));
                )+
                written
            }
        }
    };
    (@option) => { None };
    (@option $value:literal) => { Some($value) };
    (@text) => { None };
    (@text $value:expr) => { Some(stringify!($value)) };
    (@range) => { None };
    (@range $min:literal, $max:literal) => { Some((stringify!($min), stringify!($max))) };
    (@repeats) => { false };
    (@repeats repeats) => { true };
}
pub(crate) use section;
