use crate::nearest::nearest;

/// What may stand after an argument.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Nothing: it is there or not.
    Flag,
    /// A whole number.
    Int {
        /// Least value.
        min: i64,
        /// Greatest value.
        max: i64,
    },
    /// A finite number.
    Float {
        /// Least value.
        min: f64,
        /// Greatest value.
        max: f64,
        /// `min` itself is not allowed.
        above: bool,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Anything.
    Text,
    /// A file or directory, or a dotted Python path.
    Path,
    /// One value or several.
    List,
}

impl Kind {
    /// What is allowed, to stand after "it must be".
    pub fn allowed(&self) -> String {
        match *self {
            Kind::Flag => "true or false".to_owned(),
            Kind::Int { min, max } => match (min, max) {
                (i64::MIN, i64::MAX) => "a whole number".to_owned(),
                (_, i64::MAX) => format!("a whole number, at least {min}"),
                (i64::MIN, _) => format!("a whole number, at most {max}"),
                _ => format!("a whole number from {min} to {max}"),
            },
            Kind::Float { min, max, above } => match (min.is_finite(), max.is_finite()) {
                (false, false) => "a number".to_owned(),
                (false, true) => format!("a number, at most {max}"),
                (true, false) if above => format!("a number above {min}"),
                (true, false) => format!("a number, at least {min}"),
                (true, true) if above => format!("a number above {min} and at most {max}"),
                (true, true) => format!("a number from {min} to {max}"),
            },
            Kind::Choice(words) => format!("one of {}", words.join(", ")),
            Kind::Text => "one value".to_owned(),
            Kind::Path => "a path".to_owned(),
            Kind::List => "one value or several".to_owned(),
        }
    }

    /// Whether `value` is allowed. An `Err` says what must stand there instead.
    pub(crate) fn check(&self, value: &str) -> Result<(), String> {
        let good = match *self {
            Kind::Flag => matches!(value, "true" | "false"),
            Kind::Int { min, max } => value.parse::<i64>().is_ok_and(|n| min <= n && n <= max),
            Kind::Float { min, max, above } => {
                value.parse::<f64>().is_ok_and(|x| x.is_finite() && min <= x && x <= max && !(above && x == min))
            }
            Kind::Choice(words) => words.contains(&value),
            Kind::Text => true,
            Kind::Path | Kind::List => !value.trim().is_empty(),
        };
        if good {
            return Ok(());
        }
        let meant = match *self {
            Kind::Choice(words) => nearest(value, words.iter().copied()),
            _ => None,
        };
        let meant = meant.map(|word| format!(" (did you mean {word}?)")).unwrap_or_default();
        Err(format!("it must be {}{meant}", self.allowed()))
    }
}
