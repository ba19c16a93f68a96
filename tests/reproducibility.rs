//! Same script, same seeds: the same bits, whatever the number of threads.

use std::path::Path;
use std::process::Command;

/// Draws data, trains, saves, samples by exact and learned scores, simulates and perturbs, with every class of process
/// and with adaptive and corrected steps; all results go to files.
const SCRIPT: &str = r#"
let p = process::active(#{ tau: 0.5, Tp: 0.1 });
let d = dataset::swiss_rolls();
let m = score::mlp(p, d, #{ hidden: [32, 32], seed: 1 });
train(m, d, #{ steps: 60, batch: 300, lr: 1e-3, schedule: "cosine", seed: 2 });
m.save("model.safetensors");
let diamond = dataset::diamond();
d.sample(1000, 3).save("data.npy");
sample(m, #{ count: 1000, steps: 20, seed: 4 }).x.save("learned.npy");
sample(score::exact(p, diamond), #{ count: 1000, steps: 20, grid: "quadratic", seed: 5 }).eta.save("exact.npy");
simulate(p, diamond.sample(1000, 6), #{ steps: 20, seed: 7 }).x.save("simulated.npy");
perturb(p, diamond.sample(1000, 6), 0.3, 8).eta.save("perturbed.npy");
let exact = score::exact(p, diamond);
sample(exact, #{ count: 4000, method: "rk45", rtol: 1e-3, atol: 1e-3, seed: 10 }).x.save("adaptive.npy");
sample(exact, #{ count: 1000, steps: 10, method: "pc", seed: 11 }).x.save("corrected.npy");
sample(score::exact(process::chiral_active(), diamond), #{ count: 1000, steps: 20, seed: 12 }).eta.save("coupled.npy");
let line = dataset::mixture(#{ means: [[-1], [1]], std: 0.2 });
let n = score::mlp(process::double_well(#{ Ta: 1 }), line, #{ hidden: [32], chain_steps: 100, seed: 13 });
train(n, line, #{ steps: 20, batch: 300, seed: 14 });
n.save("nonlinear.safetensors");
sample(n, #{ count: 1000, steps: 20, seed: 15 }).x.save("nonlinear.npy");
sample(n, #{ count: 4000, method: "rk45", rtol: 1e-3, atol: 1e-3, seed: 16 }).x.save("flow.npy");
let digits = dataset::digits();
let u = score::unet(p, digits, #{ channels: 8, multipliers: [1, 2], blocks: 1, dropout: 0.1, classes: true, seed: 17 });
train(u, digits, #{ steps: 4, batch: 48, seed: 18 });
u.save("unet.safetensors");
sample(u.given("3"), #{ count: 40, steps: 3, seed: 19 }).x.save("images.npy");
print(measure::hierarchy(p, [0.3], #{ alphabet: 6, depth: 4, rules: 3, count: 30 }));
print(measure::bayes_accuracy(p, diamond, 0.5, #{ count: 1000 }));
print(measure::sliced_wasserstein(diamond.sample(1000, 9), d.sample(1000, 9)));
print(measure::hierarchy(p, [0.3, 1], #{ alphabet: 8, depth: 5, rules: 4, count: 10, seed: 17 }));
"#;

fn run(threads: &str, folder: &Path) -> Vec<(String, Vec<u8>)> {
    let script = folder.join("script.rhai");
    std::fs::write(&script, SCRIPT).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_tumble"))
        .args(["--threads", threads, "--quiet", "run", "script.rhai"])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut results: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
        .collect();
    results.sort();
    results.push(("standard output".into(), output.stdout));
    results
}

#[test]
fn one_thread_and_several_give_the_same_bits() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [one, two, again] = [("1", 0), ("2", 1), ("3", 2)].map(|(threads, i)| run(threads, folders[i].path()));
    assert_eq!(one.len(), 16, "a result is missing");
    for other in [two, again] {
        for ((name, a), (_, b)) in one.iter().zip(&other) {
            assert!(a == b, "{name} differs");
        }
    }
}
