//! Names that guides and launch scripts of older days use, and what became of them.

/// An argument that is no longer there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Old {
    /// Its name without `--`.
    pub name: &'static str,
    /// The argument that stands for it today.
    pub now: &'static str,
    /// The value of that argument where the old flag was given.
    pub value: Stands,
}

/// What an old flag stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    /// This value.
    For(&'static str),
    /// The value of another argument.
    As(&'static str),
}

/// All of them; every one was a flag. SGLang's choice of an expert kernel is a number of GPUs and a backend now.
const OLD: [Old; 2] = [
    Old { name: "sglang-enable-ep-moe", now: "sglang-ep-size", value: Stands::As("rollout-num-gpus-per-engine") },
    Old { name: "sglang-enable-deepep-moe", now: "sglang-moe-a2a-backend", value: Stands::For("deepep") },
];

/// What became of an argument, when it is one of those.
pub fn old(name: &str) -> Option<&'static Old> {
    OLD.iter().find(|old| old.name == name)
}

#[cfg(test)]
mod tests {
    use super::{super::find, *};

    #[test]
    fn what_an_old_name_stands_for_is_known() {
        for old in OLD {
            assert_eq!(find(old.name), None);
            let now = find(old.now).unwrap();
            match old.value {
                Stands::For(value) => assert_eq!(now.check(value), Ok(())),
                Stands::As(other) => assert_eq!(find(other).map(|other| other.kind), Some(now.kind)),
            }
        }
    }
}
