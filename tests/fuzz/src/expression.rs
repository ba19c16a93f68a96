//! Random expressions: traced and evaluated over blocks of samples, by numbers and by tensors of a script, and node by
//! node with other code. All must agree as far as precision goes.

use std::collections::BTreeMap;

use tumble::expr::{
    Assignment, COMPOSED, COMPOSED_OF_TWO, Comparison, Condition, Expression, Function, Operation, Program,
};

use super::choices::Choices;
use super::tree::{SYMBOLS, Tree};
use super::trial::Trial;

const SINGLE: f64 = f32::EPSILON as f64;
const DOUBLE: f64 = f64::EPSILON;
/// Samples in a block: more than one register holds, and no multiple of it.
const SAMPLES: usize = 37;

/// The target.
pub fn run(bytes: &[u8]) {
    let choices = &mut Choices::new(bytes);
    let kind = choices.below(8);
    let points: Vec<[f64; 4]> = points(choices);
    let tree = Tree::new(choices, 0);
    let expression = expression(&tree);
    in_double_precision(&tree, &expression, &points);
    over_a_block(&tree, &expression, &points);
    let derivative = expression.derivative(0);
    let _ = (expression.latex(), expression.to_string(), derivative.latex(), derivative.to_string());
    let _ = Program::new(&[derivative], 2, &["k"]).unwrap();
    // Scripts take a hundred times as long.
    if kind == 0 {
        by_a_script(&tree, &points[0]);
    }
}

/// Values of x, y, t and k for each sample; t and k are the same for all.
fn points(choices: &mut Choices) -> Vec<[f64; 4]> {
    let mut number = || {
        let sign = if choices.once_in(2) { -1.0 } else { 1.0 };
        let number = choices.below(1 << 12) as f64 / 1024.0;
        // As tensors have them.
        f64::from((sign * number) as f32)
    };
    let [x, y, t, k] = [(); 4].map(|()| number());
    let moved = |i: usize, step: f32| f64::from(i as f32 * step);
    (0..SAMPLES)
        .map(|i| [f64::from((x + moved(i, 0.125)) as f32), f64::from((y - moved(i, 0.0625)) as f32), t.abs(), k])
        .collect()
}

/// The expression of the program.
fn expression(tree: &Tree) -> Expression {
    match tree {
        Tree::Number(value) => Expression::constant(*value),
        Tree::Symbol(2) => Expression::time(),
        Tree::Symbol(3) => Expression::parameter("k"),
        Tree::Symbol(i) => Expression::component(*i, SYMBOLS[*i]),
        Tree::Of("-", a) => expression(a).negate(),
        Tree::Of(name, a) => match Function::ALL.into_iter().find(|function| function.name() == *name) {
            Some(function) => expression(a).apply(function),
            None => COMPOSED.iter().find(|(known, _)| known == name).unwrap().1(&expression(a)),
        },
        Tree::Pair(name, pair) => {
            let (a, b) = (expression(&pair.0), expression(&pair.1));
            let operation = match *name {
                "+" => Operation::Add,
                "-" => Operation::Subtract,
                "*" => Operation::Multiply,
                "/" => Operation::Divide,
                "**" => Operation::Power,
                name => return COMPOSED_OF_TWO.iter().find(|(known, _)| *known == name).unwrap().1(&a, &b),
            };
            a.combine(operation, &b)
        }
        Tree::Where(sign, parts) => {
            let [a, b, c, d] = parts.each_ref().map(expression);
            let comparison = match *sign {
                "<" => Comparison::Less,
                "<=" => Comparison::LessOrEqual,
                ">" => Comparison::Greater,
                _ => Comparison::GreaterOrEqual,
            };
            c.or_where(&Condition::Compare(comparison, a, b), &d)
        }
    }
}

fn in_double_precision(tree: &Tree, expression: &Expression, points: &[[f64; 4]]) {
    for point in points {
        let parameters = BTreeMap::from([("k".to_owned(), point[3])]);
        let value = expression.evaluate(Assignment { time: point[2], parameters: &parameters, state: &point[..2] });
        let truth = tree.evaluate(point, DOUBLE);
        assert!(truth.admits(value), "{value:e} for {truth:?} of {} at {point:?}", tree.script());
    }
}

fn over_a_block(tree: &Tree, expression: &Expression, points: &[[f64; 4]]) {
    let [.., time, k] = points[0];
    let state: Vec<f32> = (0..2).flat_map(|i| points.iter().map(move |point| point[i] as f32)).collect();
    let program = Program::new(std::slice::from_ref(expression), 2, &["k"]).unwrap();
    let mut out = vec![f32::NAN; SAMPLES];
    program.run(&program.at(time, &[k]), &mut program.workspace(SAMPLES), SAMPLES, &state, &mut out);
    for (point, value) in points.iter().zip(out) {
        let truth = tree.evaluate(point, SINGLE);
        assert!(truth.admits(f64::from(value)), "{value:e} for {truth:?} of {} at {point:?}", tree.script());
    }
}

fn by_a_script(tree: &Tree, point: &[f64; 4]) {
    let mut runtime = Trial::default().runtime();
    let [x, y, t, k] = point.map(|number| format!("{number:?}"));
    let code = tree.script();
    // A comparison of numbers is no condition.
    let numbers = code.replace("where(", "if_else(");
    let text = format!(
        "fn if_else(c, a, b) {{ if c {{ a }} else {{ b }} }} let f = |x, y, t, k| {numbers}; f({x}, {y}, {t}, {k})"
    );
    let Ok(value) = runtime.run(&text) else { return };
    let truth = tree.evaluate(point, DOUBLE);
    let value = value.as_float().or_else(|_| value.as_int().map(|whole| whole as f64)).unwrap_or(f64::NAN);
    assert!(truth.admits(value), "{value:e} for {truth:?} by {text}");
    let text = format!("let f = |x, y, t, k| {code}; f(tensor({x}), tensor({y}), {t}, {k}) * ones([1])");
    let Ok(()) = runtime.run(&format!("let r = {{ {text} }};")).map(drop) else { return };
    let value = runtime.eval::<f64>("r[0]").unwrap_or_else(|error| panic!("{error}"));
    let truth = tree.evaluate(point, SINGLE);
    assert!(truth.admits(value), "{value:e} for {truth:?} by {text}");
}
