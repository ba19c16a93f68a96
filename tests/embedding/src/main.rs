//! The language inside another program, without what only the command needs.

fn main() -> Result<(), Box<tumble::Diagnostic>> {
    let mut tumble = tumble::Runtime::new();
    tumble.engine().register_fn("double", |x: f64| 2.0 * x);
    let value = tumble.run("let p = process::active(#{ tau: 0.5 }); double(p.kernel(1).cov[0][0])")?;
    println!("{:.4}", value.as_float().expect("a covariance"));
    Ok(())
}
