//! Every instruction set that this processor has gives the same bits as the best.

use std::path::Path;
use std::process::Command;

/// Touches each family of dispatched code: normals, uniforms, exponentials and logarithms of every kind of score, the
/// products, activations and optimiser of a network, the affine steps of both directions, adaptive and corrected ones,
/// coupled coordinates, the programs of a nonlinear process, the layers of images, and lattices.
///
/// Small: without instructions for fused multiply-add each one is a call of the portable level.
const SCRIPT: &str = r#"
let p = process::active(#{ tau: 0.5, Tp: 0.1 });
let d = dataset::diamond();
dataset::swiss_rolls().sample(300, 3).save("data.npy");
let m = score::mlp(p, d, #{ hidden: [24, 40], seed: 1 });
let r = train(m, d, #{ steps: 5, batch: 150, lr: 1e-3, schedule: "cosine", seed: 2 });
print(r.loss);
sample(m, #{ count: 300, steps: 5, seed: 4 }).x.save("learned.npy");
sample(score::exact(p, d), #{ count: 300, steps: 10, seed: 5 }).eta.save("exact.npy");
let spread = dataset::mixture(#{ means: [[0, 0], [1, 1]], covariances: [[[1, 0.5], [0.5, 2]], [[0.1, 0], [0, 0.1]]] });
sample(score::exact(p, spread), #{ count: 300, steps: 10, seed: 5 }).x.save("general.npy");
simulate(p, d.sample(300, 6), #{ steps: 10, seed: 7 }).x.save("simulated.npy");
perturb(p, d.sample(300, 6), 0.3, 8).eta.save("perturbed.npy");
sample(score::exact(p, d), #{ count: 300, method: "rk45", rtol: 1e-3, atol: 1e-3, seed: 9 }).x.save("adaptive.npy");
sample(score::exact(p, d), #{ count: 300, steps: 5, method: "pc", seed: 10 }).x.save("corrected.npy");
sample(score::exact(process::chiral_active(), d), #{ count: 300, steps: 10, seed: 11 }).eta.save("coupled.npy");
let line = dataset::mixture(#{ means: [[-1], [1]], std: 0.2 });
let n = score::mlp(process::double_well(#{ Ta: 1 }), line, #{ hidden: [16], chain_steps: 100, window: 0.5, seed: 12 });
train(n, line, #{ steps: 3, batch: 64, seed: 13 });
sample(n, #{ count: 300, steps: 5, seed: 14 }).x.save("nonlinear.npy");
let digits = dataset::digits();
let u = score::unet(p, digits, #{ channels: 8, multipliers: [1, 2], blocks: 1, attention: [4], seed: 17 });
train(u, digits, #{ steps: 1, batch: 5, seed: 18 });
sample(u, #{ count: 3, steps: 2, seed: 19 }).x.save("images.npy");
dataset::ising(#{ size: 9, temperature: 2.3, count: 600, sweeps: 30, seed: 15 }).sample(600, 16).save("lattices.npy");
"#;

/// The files and the output of the script at a level; `None` where the processor lacks it.
fn run(level: &str, folder: &Path) -> Option<Vec<(String, Vec<u8>)>> {
    std::fs::write(folder.join("script.rhai"), SCRIPT).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_tumble"))
        .args(["--vectors", level, "--threads", "2", "--quiet", "run", "script.rhai"])
        .current_dir(folder)
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    if complaint.contains("which this processor does not have") {
        return None;
    }
    assert!(output.status.success(), "{level}: {complaint}");
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let mut results: Vec<_> = paths
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
        .collect();
    results.sort();
    results.push(("standard output".into(), output.stdout));
    Some(results)
}

#[test]
fn all_levels_give_the_same_bits() {
    let reference = run("auto", tempfile::tempdir().unwrap().path()).unwrap();
    assert_eq!(reference.len(), 14, "a result is missing");
    for level in ["avx512", "avx2", "neon", "portable"] {
        let Some(results) = run(level, tempfile::tempdir().unwrap().path()) else { continue };
        for ((name, expected), (_, found)) in reference.iter().zip(&results) {
            assert!(expected == found, "{name} differs at {level}");
        }
    }
}

#[test]
fn a_level_that_does_not_exist_is_refused() {
    let output = Command::new(env!("CARGO_BIN_EXE_tumble")).args(["--vectors", "avx521", "-e", "1"]).output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(complaint.contains("did you mean `avx512`?"), "{complaint}");
}
