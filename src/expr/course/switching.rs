//! The times at which expressions switch from one form to another.

use std::collections::{BTreeMap, HashSet, VecDeque};

use super::super::{Condition, Expression, Function, Node, Operation};
use super::{Course, Interval};

/// Stretches that are looked at before the rest is left to what its ends show.
const MOST_STRETCHES: usize = 200_000;
/// Places nearer than this to each other or to an end, in parts of the way, are not told apart.
const FINEST: f64 = 1e-17;
/// Differences smaller than this part of their largest, but not 0, have no sure sign.
const ROUNDING: f64 = 1e-13;

/// The times between 0 and `end`, in rising order, at which a comparison of functions of the time alone may change its
/// result or an absolute value has its kink; each to rounding.
///
/// A stretch in which no difference can be 0 has none, every other is halved: so however near two places are to each
/// other, both are found. Comparisons that come out equal over a whole stretch would be halved for ever: where too many
/// stretches are left, those whose ends differ in sign are kept.
pub fn switching_times<'a>(
    expressions: impl IntoIterator<Item = &'a Expression>,
    parameters: &BTreeMap<String, f64>,
    end: f64,
) -> Vec<f64> {
    let differences: Vec<_> = switches(expressions).iter().map(|difference| difference.bind(parameters)).collect();
    let Ok(course) = Course::new(&differences) else { return Vec::new() };
    if differences.is_empty() {
        return Vec::new();
    }
    let sizes = course.over(0.0, end).into_iter().map(Interval::size).collect::<Vec<_>>();
    let mut waiting = VecDeque::from([(0.0, end)]);
    let mut found = Vec::new();
    let mut looked = 0;
    while let Some((from, to)) = waiting.pop_front() {
        looked += 1;
        if looked > MOST_STRETCHES {
            found.extend(crossing(&course, from, to, &sizes));
            continue;
        }
        if !course.over(from, to).into_iter().any(|difference| difference.holds(0.0)) {
            continue;
        }
        let middle = 0.5 * (from + to);
        if middle <= from || middle >= to || to - from <= FINEST * end {
            found.push(to);
        } else {
            waiting.extend([(from, middle), (middle, to)]);
        }
    }
    found.sort_by(f64::total_cmp);
    // Rounding leaves a few neighbours of each.
    let apart = |a: f64, b: f64| b - a > FINEST * end + 4.0 * f64::EPSILON * b;
    let mut places: Vec<f64> = Vec::new();
    for time in found {
        if apart(*places.last().unwrap_or(&0.0), time) && apart(time, end) {
            places.push(time);
        }
    }
    places
}

/// Where the first difference that changes its sign between two times does so; `sizes` are the largest of each
/// anywhere.
fn crossing(course: &Course, from: f64, to: f64, sizes: &[f64]) -> Option<f64> {
    let (first, last) = (course.at(from), course.at(to));
    let is_sure = |value: f64, size: f64| value == 0.0 || !size.is_finite() || value.abs() > ROUNDING * size;
    let which = (0..first.len())
        .find(|&i| (first[i] > 0.0) != (last[i] > 0.0) && is_sure(first[i], sizes[i]) && is_sure(last[i], sizes[i]))?;
    let (mut low, mut high) = (from, to);
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return Some(high);
        }
        match (course.at(middle)[which] > 0.0) == (first[which] > 0.0) {
            true => low = middle,
            false => high = middle,
        }
    }
}

/// What is 0 where one of the expressions switches: differences of what is compared, arguments of absolute values, and
/// the distance from whole numbers of what is rounded, as far as they depend on the time alone.
fn switches<'a>(expressions: impl IntoIterator<Item = &'a Expression>) -> Vec<Expression> {
    let mut seen = HashSet::new();
    let mut stack: Vec<&Expression> = expressions.into_iter().collect();
    let mut found = Vec::new();
    while let Some(expression) = stack.pop() {
        if !seen.insert(expression.address()) {
            continue;
        }
        match expression.node() {
            Node::Where(condition, ..) => compared(condition, &mut found),
            Node::Apply(Function::Abs, a) => found.push(a.clone()),
            // At whole numbers.
            Node::Apply(Function::Floor, a) => {
                found.push(a.multiply(&std::f64::consts::PI.into()).apply(Function::Sin));
            }
            _ => {}
        }
        stack.extend(expression.node().children());
    }
    found.retain(|difference| difference.depends_on_time() && !difference.depends_on_state());
    found
}

fn compared(condition: &Condition, found: &mut Vec<Expression>) {
    match condition {
        Condition::Compare(_, a, b) => found.push(a.combine(Operation::Subtract, b)),
        Condition::And(pair) | Condition::Or(pair) => {
            compared(&pair.0, found);
            compared(&pair.1, found);
        }
        Condition::Not(inner) => compared(inner, found),
    }
}
