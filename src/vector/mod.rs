//! Vector code by run-time dispatch: one body, compiled once per instruction set, chosen when the program runs.
//!
//! The bodies use only IEEE operations and explicit fused multiply-adds, so every instruction set gives the same bits.

mod aligned;
mod angle;
pub mod math;
mod single;

use std::sync::atomic::{AtomicU8, Ordering};

pub(crate) use aligned::Aligned;
pub use angle::{encircle, wrapped};
pub use single::{single, single_rows, singles};

use crate::error::{Error, Result, suggestion};

/// An instruction set that [`dispatched!`](crate::dispatched) bodies are compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Level {
    /// What every processor of the build target has. Without fused multiply-add, as on the oldest x86-64, each becomes
    /// a call.
    Portable = 1,
    /// 64-bit ARM, all of which has NEON.
    Neon,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// x86-64 with AVX-512 F, VL, DQ and BW.
    Avx512,
}

/// The level in use; 0 before the first question.
static LEVEL: AtomicU8 = AtomicU8::new(0);

impl Level {
    /// All levels, the best last.
    pub const ALL: [Self; 4] = [Self::Portable, Self::Neon, Self::Avx2, Self::Avx512];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Neon => "neon",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    /// Whether this processor can run it.
    pub fn is_available(self) -> bool {
        match self {
            Self::Portable => true,
            Self::Neon => cfg!(target_arch = "aarch64"),
            Self::Avx2 => has_avx2(),
            Self::Avx512 => has_avx512(),
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
}

#[cfg(target_arch = "x86_64")]
fn has_avx512() -> bool {
    has_avx2()
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512bw")
}

#[cfg(not(target_arch = "x86_64"))]
fn has_avx2() -> bool {
    false
}

#[cfg(not(target_arch = "x86_64"))]
fn has_avx512() -> bool {
    false
}

/// The level that dispatched code runs at: the best of this processor, unless [`force`] chose another.
#[inline]
pub fn level() -> Level {
    // Whoever reads a level that another thread is just choosing computes the same bits with it.
    match LEVEL.load(Ordering::Relaxed) {
        4 => Level::Avx512,
        3 => Level::Avx2,
        2 => Level::Neon,
        1 => Level::Portable,
        _ => choose(),
    }
}

#[cold]
fn choose() -> Level {
    let best = Level::ALL.into_iter().rfind(|level| level.is_available()).unwrap_or(Level::Portable);
    LEVEL.store(best as u8, Ordering::Relaxed);
    best
}

/// Makes all dispatched code of the program run at the level of that name; "auto" is the best of this processor.
///
/// # Errors
/// When there is no such level, or this processor lacks its instructions.
pub fn force(name: &str) -> Result<()> {
    if name == "auto" {
        choose();
        return Ok(());
    }
    let Some(level) = Level::ALL.into_iter().find(|level| level.name() == name) else {
        let known = [&["auto"], &Level::ALL.map(Level::name)[..]].concat();
        return Err(Error::argument("vectors", format!("must be the name of an instruction set, got `{name}`"))
            .with_hint(suggestion(name, &known, "there are")));
    };
    if !level.is_available() {
        let available: Vec<_> = Level::ALL.into_iter().filter(|level| level.is_available()).map(Level::name).collect();
        return Err(Error::argument("vectors", format!("asks for {name}, which this processor does not have"))
            .with_hint(format!("it has {}", available.join(", "))));
    }
    LEVEL.store(level as u8, Ordering::Relaxed);
    Ok(())
}

/// Defines a function whose body is compiled for every [`Level`] and dispatched at run time.
///
/// The body must not return early through helpers that are not `#[inline(always)]`: code that is not inlined into it
/// keeps the build target's instruction set. With a name in angle brackets, `fn name<LANES>(..)`, the body knows that
/// constant as the number of single-precision lanes of the level's registers.
#[macro_export]
macro_rules! dispatched {
    (
        $(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block
    ) => {
        $crate::dispatched! { $(#[$meta])* $vis fn $name<_LANES>($($arg: $ty),*) $(-> $ret)? $body }
    };
    (
        $(#[$meta:meta])* $vis:vis fn $name:ident<$lanes:ident>($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block
    ) => {
        $(#[$meta])*
        $vis fn $name($($arg: $ty),*) $(-> $ret)? {
            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            fn body<const $lanes: usize>($($arg: $ty),*) $(-> $ret)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
            #[allow(clippy::too_many_arguments)]
            fn avx512($($arg: $ty),*) $(-> $ret)? { body::<16>($($arg),*) }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            #[allow(clippy::too_many_arguments)]
            fn avx2($($arg: $ty),*) $(-> $ret)? { body::<8>($($arg),*) }

            match $crate::vector::level() {
                // SAFETY: `level` returns these only where the processor has the features.
                #[cfg(target_arch = "x86_64")]
                $crate::vector::Level::Avx512 => unsafe { avx512($($arg),*) },
                #[cfg(target_arch = "x86_64")]
                $crate::vector::Level::Avx2 => unsafe { avx2($($arg),*) },
                _ => body::<4>($($arg),*),
            }
        }
    };
}
