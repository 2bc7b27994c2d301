//! Core to wire by `From`, wire to core by `TryFrom`; one file for each part of the vocabulary.

mod command;
mod deck;
mod event;
mod shard;
#[cfg(test)]
mod tests;

use crate::Malformed;

/// Reads a part that must be there.
fn part<W, C>(wire: Option<W>, what: &'static str) -> Result<C, Malformed>
where
    C: TryFrom<W, Error = Malformed>,
{
    wire.ok_or(Malformed(what)).and_then(C::try_from)
}

/// Enums of the wire that name the core's one by one.
macro_rules! named {
    ($core:ty, $wire:ident { $($variant:ident),* $(,)? }) => {
        impl From<$core> for wire::$wire {
            fn from(core: $core) -> Self {
                match core { $(<$core>::$variant => wire::$wire::$variant),* }
            }
        }
        impl From<wire::$wire> for $core {
            fn from(wire: wire::$wire) -> Self {
                match wire { $(wire::$wire::$variant => <$core>::$variant),* }
            }
        }
    };
}
pub(crate) use named;

/// Structs whose fields have the same names and types on both sides.
macro_rules! alike {
    ($core:ident, $wire:ident { $($field:ident),* $(,)? }) => {
        impl From<$core> for wire::$wire {
            fn from($core { $($field),* }: $core) -> Self {
                wire::$wire { $($field),* }
            }
        }
        impl TryFrom<wire::$wire> for $core {
            type Error = Malformed;
            fn try_from(wire::$wire { $($field),* }: wire::$wire) -> Result<Self, Malformed> {
                Ok($core { $($field),* })
            }
        }
    };
}
pub(crate) use alike;
