//! Toy sets: laws in the plane that are drawn by a formula, with known moments.

mod checkerboard;
mod law;
mod moons;
mod pinwheel;
mod rings;
mod spirals;
mod swiss_rolls;

pub use checkerboard::Checkerboard;
pub use law::Toy;
pub use moons::Moons;
pub use pinwheel::Pinwheel;
pub use rings::Rings;
pub use spirals::Spirals;
pub use swiss_rolls::SwissRolls;

#[cfg(test)]
mod tests;
