//! How long paths remember.

use super::Estimate;
use crate::error::{Error, Result};
use crate::tensor::Tensor;

/// ⟨x(t) x(t + lag)⟩/⟨x²⟩ of deviations from the mean of each coordinate, of `paths` [times, count, ..] that are
/// stationary: the mean over times and coordinates, with the standard error over the paths.
///
/// # Errors
/// When there are fewer than two paths, no two times are `lag` steps apart, a value is not finite, or nothing varies.
pub fn autocorrelation(paths: &Tensor, lag: usize) -> Result<Estimate> {
    let &[times, count, ref rest @ ..] = paths.shape() else {
        let problem = format!("must have the shape [times, count, ..], got {:?}", paths.shape());
        return Err(Error::argument("paths", problem).with_hint("take s.path(\"x\") of a state with `keep: \"all\"`"));
    };
    if count < 2 {
        return Err(Error::argument("paths", "must be two or more, for an error"));
    }
    if lag >= times {
        return Err(Error::argument("lag", format!("must be below the number of times {times}, got {lag}")));
    }
    let width: usize = rest.iter().product();
    let rows = paths.rows("paths")?;
    let mut means = vec![0.0; width];
    for row in rows.values.chunks_exact(width) {
        means.iter_mut().zip(row).for_each(|(mean, x)| *mean += f64::from(*x) / (times * count) as f64);
    }
    let at = |time: usize, path: usize, c: usize| f64::from(rows.values[(time * count + path) * width + c]) - means[c];
    let product = |path: usize, lag: usize| {
        let places = (0..times - lag).flat_map(|time| (0..width).map(move |c| (time, c)));
        places.map(|(time, c)| at(time, path, c) * at(time + lag, path, c)).sum::<f64>()
            / ((times - lag) * width) as f64
    };
    let [own, later]: [Vec<f64>; 2] = [0, lag].map(|lag| (0..count).map(|path| product(path, lag)).collect());
    let [variance, covariance] = [&own, &later].map(|products| products.iter().sum::<f64>() / count as f64);
    if variance == 0.0 {
        return Err(Error::argument("paths", "do not vary"));
    }
    let value = covariance / variance;
    // Of a ratio of means, to first order.
    let along: Vec<f64> = later.iter().zip(&own).map(|(b, a)| (b - value * a) / variance).collect();
    Ok(Estimate { value, error: Estimate::mean(&along).error })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, Stream};

    /// An autoregression of 200 paths and 100 steps, at 5 standard errors for three lags; errors of about 1 %.
    #[test]
    fn memory_of_an_autoregression() {
        let (times, count, keep) = (100, 200, 0.8_f32);
        let mut values = vec![0.0; times * count];
        Stream::new(1, Purpose::Script).normals(0, 0, &mut values);
        for i in count..values.len() {
            values[i] = keep * values[i - count] + (1.0 - keep * keep).sqrt() * values[i];
        }
        let paths = Tensor::new(&[times, count], values).unwrap();
        for (lag, truth) in [(0, 1.0), (1, 0.8), (3, 0.512)] {
            let found = autocorrelation(&paths, lag).unwrap();
            assert!((found.value - truth).abs() <= 5.0 * found.error + 1e-9, "{found:?} for {truth}");
            assert!(found.error < 0.015);
        }
        // Each coordinate has a mean of its own.
        let mut values = vec![0.0; 100 * 200 * 2];
        Stream::new(2, Purpose::Script).normals(0, 0, &mut values);
        values.iter_mut().step_by(2).for_each(|x| *x += 50.0);
        let found = autocorrelation(&Tensor::new(&[100, 200, 2], values).unwrap(), 1).unwrap();
        assert!(found.value.abs() < 5.0 * found.error, "{found:?}");
        assert!(autocorrelation(&paths, 100).unwrap_err().to_string().contains("below the number of times 100"));
        let still = Tensor::new(&[2, 2], vec![1.0; 4]).unwrap();
        assert!(autocorrelation(&still, 1).unwrap_err().to_string().contains("do not vary"));
    }
}
