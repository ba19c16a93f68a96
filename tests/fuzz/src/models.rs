//! Saved scores whose descriptions, tensors or numbers were changed, with a checksum that fits again.

use std::path::Path;
use std::sync::OnceLock;

use serde_json::{Map, Value, json};
use tumble::Runtime;

use super::choices::Choices;
use super::trial::Trial;

/// Scripts that write `model.safetensors` into the folder `folder`.
const WRITTEN: &[&str] = &[
    "score::mlp(process::active(), dataset::diamond(), #{ hidden: [3, 2], seed: 1 }).save(folder + \"model.safetensors\")",
    "let d = dataset::from_array([[0, 0], [1, 1], [2, 0]], #{ labels: [\"a\", \"b\", \"a\"] }).normalise(\"coordinate\");
     score::network(process::passive(), d, |z, t, c| {
         let h = layer::dense(z, 4) + layer::dense(layer::embed(t, 4), 4) + layer::embed_class(c, 4);
         layer::answer(layer::dropout(layer::silu(h), 0.1))
     }).save(folder + \"model.safetensors\")",
    "let d = dataset::from_array(random_normal([4, 4, 4], 1));
     score::network(process::vp(), d, |z, t| {
         let h = layer::conv(z, 4, #{ kernel: 3, padding: \"periodic\" }) + layer::dense(layer::embed(t, 4), 4);
         let h = layer::attention(layer::group_norm(h, 2));
         let low = layer::downsample(h);
         layer::answer(layer::concatenate([layer::upsample(low), h]))
     }).save(folder + \"model.safetensors\")",
    "let p = process::double_well();
     score::mlp(p, dataset::mixture(#{ means: [[-1], [1]], std: 0.1 }), #{ hidden: [3], simulated: true, seed: 1 })
         .save(folder + \"model.safetensors\")",
    "let p = process::circle();
     let d = dataset::mixture(#{ means: [[0], [2]], std: 0.3 });
     score::mlp(p, d, #{ hidden: [3], seed: 1 }).save(folder + \"model.safetensors\")",
];

/// What is done with a score that could be read.
const USED: &str = "
    let m = score::load(folder + \"model.safetensors\");
    print(m); print(m.process); print(m.process.params); print(explain(m.process)); print(m.steps);
    let s = sample(m, #{ count: 2, steps: 2 });
    print(m.at(s, 0.5));
    m.save(folder + \"again.safetensors\");
";

/// A saved score: what it says of itself, and the file behind that.
struct Model {
    description: Value,
    /// The entries of the tensors.
    tensors: Map<String, Value>,
    data: Vec<u8>,
}

/// The target.
pub fn run(bytes: &[u8]) {
    let choices = &mut Choices::new(bytes);
    let trial = Trial::default();
    std::fs::write(trial.folder().join("model.safetensors"), changed(choices)).unwrap();
    trial.run(USED);
}

/// Scores as this program and its first version wrote them.
fn models() -> &'static [Model] {
    static MODELS: OnceLock<Vec<Model>> = OnceLock::new();
    MODELS.get_or_init(|| {
        let written = WRITTEN.iter().map(|script| {
            let folder = tempfile::tempdir().unwrap();
            let mut runtime = Runtime::new();
            runtime.set_constant("folder", format!("{}/", folder.path().display()));
            let _ = runtime.run(script).unwrap_or_else(|error| panic!("{error}"));
            parse(&folder.path().join("model.safetensors"))
        });
        let models = super::library::top().join("tests/models");
        let kept = ["kernel", "paths"].iter().map(|name| parse(&models.join(format!("{name}.safetensors"))));
        written.chain(kept).collect()
    })
}

fn parse(path: &Path) -> Model {
    let bytes = std::fs::read(path).unwrap();
    let end = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let mut tensors: Map<String, Value> = serde_json::from_slice(&bytes[8..end]).unwrap();
    let metadata = tensors.remove("__metadata__").unwrap();
    let description = serde_json::from_str(metadata["tumble"].as_str().unwrap()).unwrap();
    Model { description, tensors, data: bytes[end..].to_vec() }
}

/// The bytes of a file.
fn changed(choices: &mut Choices) -> Vec<u8> {
    let model = choices.one(models());
    let mut description = model.description.clone();
    let mut tensors = Value::Object(model.tensors.clone());
    let mut data = model.data.clone();
    for _ in 0..=choices.below(4) {
        match choices.below(6) {
            0 => change(&mut tensors, choices),
            1 => {
                let place = choices.below(data.len().max(1));
                let number = *choices.one(&[f32::NAN, f32::INFINITY, 1e38, -1e-45, 0.0]);
                data.iter_mut().skip(place / 4 * 4).zip(number.to_le_bytes()).for_each(|(to, from)| *to = from);
            }
            2 if choices.once_in(4) => data.truncate(choices.below(data.len().max(1))),
            _ => change(&mut description, choices),
        }
    }
    sealed(&description, tensors, &data)
}

/// Values that stand where others were.
fn odd(choices: &mut Choices) -> Value {
    let odd = [
        json!(null),
        json!(0),
        json!(1),
        json!(-1),
        json!(2),
        json!(0.5),
        json!(1e300),
        json!(-1e300),
        json!(5e-324),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(4_294_967_296_u64),
        json!(100_000),
        json!(true),
        json!(""),
        json!("\u{1b}[31m\u{7}\r\n"),
        json!("x"),
        json!([]),
        json!([[]]),
        json!([1, 2, 3]),
        json!({}),
        json!("Time"),
        json!({ "Constant": 1.5 }),
        json!({ "Negate": 0 }),
        json!({ "Binary": ["Power", 0, 0] }),
    ];
    choices.one(&odd).clone()
}

/// Changes one place of a value.
fn change(value: &mut Value, choices: &mut Choices) {
    let mut places = Vec::new();
    collect(value, String::new(), &mut places);
    let place = choices.one(&places).clone();
    let other = value.pointer(choices.one::<String>(&places)).unwrap().clone();
    let way = choices.below(6);
    let new = match way {
        0..=2 => odd(choices),
        _ => other,
    };
    let Some((parent, key)) = place.rsplit_once('/') else { return };
    let key = key.replace("~1", "/").replace("~0", "~");
    match (way, value.pointer_mut(parent).unwrap()) {
        (5, Value::Object(entries)) => drop(entries.remove(&key)),
        (4, Value::Object(entries)) => drop(entries.insert(format!("{key}x"), new)),
        (5, Value::Array(items)) => drop(items.remove(key.parse().unwrap())),
        (4, Value::Array(items)) => items.insert(key.parse().unwrap(), new),
        (_, Value::Object(entries)) => drop(entries.insert(key, new)),
        (_, Value::Array(items)) => items[key.parse::<usize>().unwrap()] = new,
        _ => {}
    }
}

fn collect(value: &Value, place: String, places: &mut Vec<String>) {
    match value {
        Value::Object(entries) => entries.iter().for_each(|(key, inner)| {
            collect(inner, format!("{place}/{}", key.replace('~', "~0").replace('/', "~1")), places);
        }),
        // Of long arrays the beginning tells enough.
        Value::Array(items) => {
            items.iter().take(12).enumerate().for_each(|(i, inner)| collect(inner, format!("{place}/{i}"), places));
        }
        _ => {}
    }
    places.push(place);
}

/// The file of a description, with the checksum where the program looks for it.
fn sealed(description: &Value, tensors: Value, data: &[u8]) -> Vec<u8> {
    const BLANK: &str = "{\"checksum\":\"00000000\"";
    let text = match description {
        Value::Object(entries) => {
            let mut rest = entries.clone();
            rest.remove("checksum");
            let rest = Value::Object(rest).to_string();
            format!("{BLANK}{}{}", if rest == "{}" { "" } else { "," }, &rest[1..])
        }
        other => other.to_string(),
    };
    let entries = match tensors {
        Value::Object(entries) if !entries.is_empty() => format!(",{}", &Value::Object(entries).to_string()[1..]),
        _ => "}".to_owned(),
    };
    let mut head = format!("{{\"__metadata__\":{{\"tumble\":{}}}{entries}", Value::String(text)).into_bytes();
    head.resize(head.len().next_multiple_of(8), b' ');
    let mut file = [&(head.len() as u64).to_le_bytes()[..], &head, data].concat();
    const MARK: &[u8] = br#"\"checksum\":\""#;
    if let Some(start) = file.windows(MARK.len()).position(|window| window == MARK) {
        let (start, end) = (start + MARK.len(), start + MARK.len() + 8);
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&file[..start]);
        hasher.update(&file[end..]);
        file[start..end].copy_from_slice(format!("{:08x}", hasher.finalize()).as_bytes());
    }
    file
}
