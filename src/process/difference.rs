//! In what one process differs from another.

use nalgebra::DMatrix;

use super::{Class, Linear, Process};
use crate::expr::Expression;

/// The first thing in which the process `saved` in a file differs from one that is `given`.
pub fn difference(saved: &Process, given: &Process) -> Option<String> {
    if saved.blocks() != given.blocks() {
        return Some(format!("its blocks are {}, not {}", saved.blocks().join(", "), given.blocks().join(", ")));
    }
    for (name, value) in saved.parameters() {
        match given.parameters().get(name) {
            Some(other) if other != value => return Some(format!("`{name}` is {value}, not {other}")),
            _ => {}
        }
    }
    if saved.horizon() != given.horizon() {
        return Some(format!("`horizon` is {}, not {}", saved.horizon(), given.horizon()));
    }
    let [own, other] = [saved, given].map(nature);
    if own != other {
        return Some(format!("it is {own}, not {other}"));
    }
    if saved.class() == Class::Nonlinear {
        return different_equation(saved, given);
    }
    // Equal equations may be written differently, so it is the numbers that are compared.
    let times: &[f64] = if saved.class() == Class::Constant { &[0.0] } else { &[0.0, 0.3, 0.7, 1.0] };
    times.iter().find_map(|part| different_number(saved, given, part * saved.horizon()))
}

fn nature(process: &Process) -> String {
    let coupled = process.coordinates().map(|d| format!(" with {d} coupled coordinates")).unwrap_or_default();
    let angles = if process.is_periodic() { " with angles" } else { "" };
    format!("{}{coupled}{angles}", process.kind())
}

fn different_equation(saved: &Process, given: &Process) -> Option<String> {
    let (own, other) = (saved.definition(), given.definition());
    let drifts = own.drift.iter().zip(&other.drift);
    let noises = own.noise.iter().flatten().zip(other.noise.iter().flatten());
    let stored = |expression: &Expression| serde_json::to_string(expression).ok();
    let (a, b) = drifts.chain(noises).find(|(a, b)| stored(a) != stored(b))?;
    Some(format!("it has `{a}` where the other has `{b}`"))
}

fn different_number(saved: &Process, given: &Process, time: f64) -> Option<String> {
    let (own, other) = (saved.linear_at(time).ok()?, given.linear_at(time).ok()?);
    matrices(&own).into_iter().zip(matrices(&other)).find_map(|((name, saved_matrix), (_, matrix))| {
        if saved_matrix.shape() != matrix.shape() {
            return Some(format!("its {name} is of shape {:?}, not {:?}", saved_matrix.shape(), matrix.shape()));
        }
        let at = saved_matrix.iter().zip(matrix.iter()).position(|(a, b)| a != b)?;
        let entry = entry(name, at % matrix.nrows(), at / matrix.nrows(), &saved.component_names());
        Some(format!("its {name}{entry} is {}, not {}", saved_matrix[at], matrix[at]))
    })
}

/// "[x, eta]" for an entry of a matrix over blocks, "[x, source 0]" for one of the noise, "[x]" for one of a vector.
fn entry(name: &str, row: usize, column: usize, blocks: &[String]) -> String {
    // Not by the number of columns: there may be as many sources as blocks, or one of each.
    match name {
        "drift" | "spread at t = 0" => format!("[{}, {}]", blocks[row], blocks[column]),
        "noise" => format!("[{}, source {column}]", blocks[row]),
        _ => format!("[{}]", blocks[row]),
    }
}

fn matrices(linear: &Linear) -> [(&'static str, DMatrix<f64>); 5] {
    let column = |v: &nalgebra::DVector<f64>| DMatrix::from_column_slice(v.len(), 1, v.as_slice());
    [
        ("drift", linear.drift.clone()),
        ("constant drift", column(&linear.offset)),
        ("noise", linear.noise.clone()),
        ("mean at t = 0", column(&linear.start_mean)),
        ("spread at t = 0", linear.start_factor.clone()),
    ]
}

#[cfg(test)]
mod tests {
    use nalgebra::DVector;

    use super::*;

    #[test]
    fn columns_of_the_noise_are_sources_even_where_they_are_as_many_as_blocks() {
        let changed = |change: &dyn Fn(&mut Linear)| {
            let mut linear = Linear {
                drift: DMatrix::from_row_slice(2, 2, &[-1.0, 1.0, 0.0, -2.0]),
                offset: DVector::zeros(2),
                noise: DMatrix::identity(2, 2),
                start_mean: DVector::zeros(2),
                start_factor: DMatrix::zeros(2, 2),
            };
            change(&mut linear);
            Process::from_linear("active", &["x", "eta"], linear, 2.0).unwrap()
        };
        let same = changed(&|_| {});
        let noise = difference(&same, &changed(&|linear| linear.noise[(1, 1)] = 2.0)).unwrap();
        assert!(noise.starts_with("its noise[eta, source 1] is 1, not 2"), "{noise}");
        let drift = difference(&same, &changed(&|linear| linear.drift[(0, 1)] = 2.0)).unwrap();
        assert!(drift.starts_with("its drift[x, eta] is 1, not 2"), "{drift}");
    }
}
