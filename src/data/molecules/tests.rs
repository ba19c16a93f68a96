//! Angles that were planted in files of every format.

use tempfile::TempDir;

use super::*;

/// Alanine dipeptide as far as its angles go: C of ACE, N, CA and C of ALA, N of NME, with φ and ψ in degrees. Bonds
/// have a length of `unit`, and right angles between them.
fn peptide(phi: f64, psi: f64, unit: f64) -> [[f64; 3]; 5] {
    let (phi, psi) = (phi.to_radians(), psi.to_radians());
    // N at the origin, CA above it, C of ALA along x from there; seen upwards, clockwise is from x to y.
    let first = [phi.cos(), -phi.sin(), 0.0];
    // Seen along x from CA to C, N of ALA is down; clockwise from there is towards y.
    let last = [0.0, psi.sin(), -psi.cos()];
    let place = |x: [f64; 3]| x.map(|x| x * unit);
    [
        place(first),
        [0.0; 3],
        place([0.0, 0.0, 1.0]),
        place([1.0, 0.0, 1.0]),
        place([1.0 + last[0], last[1], 1.0 + last[2]]),
    ]
}

const NAMES: [(&str, &str, usize); 5] =
    [("C", "ACE", 1), ("N", "ALA", 2), ("CA", "ALA", 2), ("C", "ALA", 2), ("N", "NME", 3)];

/// Frames with angles (φ, ψ), moved so that bonds cross the sides of the box, each atom put back inside.
fn across(angles: &[[f64; 2]], unit: f64, edges: [[f64; 3]; 3]) -> Vec<[[f64; 3]; 5]> {
    let inside = |mut x: [f64; 3]| {
        for axis in (0..3).rev() {
            let turns = (x[axis] / edges[axis][axis]).floor();
            (0..3).for_each(|k| x[k] -= turns * edges[axis][k]);
        }
        x
    };
    let moved = |[phi, psi]: [f64; 2], at: usize| {
        peptide(phi, psi, unit).map(|x| inside([x[0] + (0.4 * at as f64 - 0.5) * unit, x[1], x[2]]))
    };
    angles.iter().enumerate().map(|(at, angles)| moved(*angles, at)).collect()
}

const ANGLES: [[f64; 2]; 4] = [[-60.0, 140.0], [-60.0, -40.0], [57.0, 179.0], [-150.0, 3.0]];

fn gro(frames: &[[[f64; 3]; 5]], side: &str) -> Vec<u8> {
    let mut text = String::new();
    for frame in frames {
        text += "alanine dipeptide t= 0.0\n    5\n";
        for (at, (x, (name, residue, number))) in frame.iter().zip(NAMES).enumerate() {
            text += &format!("{number:5}{residue:<5}{name:>5}{:5}{:10.5}{:10.5}{:10.5}\n", at + 1, x[0], x[1], x[2]);
        }
        text += &format!("{side}\n");
    }
    text.into_bytes()
}

fn pdb(frames: &[[[f64; 3]; 5]], cell: &str) -> Vec<u8> {
    let mut text = format!("TITLE     ALANINE\n{cell}\n");
    for (model, frame) in frames.iter().enumerate() {
        text += &format!("MODEL     {:4}\n", model + 1);
        for (at, (x, (name, residue, number))) in frame.iter().zip(NAMES).enumerate() {
            let [x, y, z] = x;
            text +=
                &format!("ATOM  {:5}  {name:<3} {residue} A{number:4}    {x:8.3}{y:8.3}{z:8.3}  1.00  0.00\n", at + 1);
        }
        text += "TER\nENDMDL\n";
    }
    (text + "END\n").into_bytes()
}

fn xtc(frames: &[Vec<[f64; 3]>], edges: [[f64; 3]; 3]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = molly::XTCWriter::new(&mut bytes);
    for (step, frame) in frames.iter().enumerate() {
        let mut boxvec = [0.0; 9];
        edges.as_flattened().iter().zip(&mut boxvec).for_each(|(from, to)| *to = *from as f32);
        let positions = frame.iter().flatten().map(|x| *x as f32).collect();
        let frame = molly::Frame { step: step as u32, time: step as f32, boxvec, precision: 10_000.0, positions };
        writer.write_frame(&frame).unwrap();
    }
    bytes
}

fn gsd(frames: &[[[f64; 3]; 5]], side: f32) -> Vec<u8> {
    let names = b"configuration/box\0particles/N\0particles/position\0";
    let mut data = vec![0; 256];
    let mut entries: Vec<[u8; 32]> = Vec::new();
    let mut add = |data: &mut Vec<u8>, frame: u64, shape: [u64; 2], id: u16, numbers: &[f32]| {
        let mut entry = [0; 32];
        entry[..8].copy_from_slice(&frame.to_le_bytes());
        entry[8..16].copy_from_slice(&shape[0].to_le_bytes());
        entry[16..24].copy_from_slice(&(data.len() as u64).to_le_bytes());
        entry[24..28].copy_from_slice(&(shape[1] as u32).to_le_bytes());
        entry[28..30].copy_from_slice(&id.to_le_bytes());
        entry[30] = 9;
        entries.push(entry);
        data.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    };
    for (at, frame) in frames.iter().enumerate() {
        // The box of the first frame is that of all.
        if at == 0 {
            add(&mut data, 0, [6, 1], 0, &[side, side, side, 0.0, 0.0, 0.0]);
        }
        let positions: Vec<f32> = frame.iter().flatten().map(|x| *x as f32).collect();
        add(&mut data, at as u64, [5, 3], 2, &positions);
    }
    // An entry without a place ends the index.
    entries.push([0; 32]);
    let index = data.len() as u64;
    data.extend(entries.as_flattened());
    let list = data.len() as u64;
    data.extend(names);
    data.resize(list as usize + 64, 0);
    for (place, number) in [(0, MAGIC), (8, index), (16, entries.len() as u64), (24, list), (32, 1)] {
        data[place..place + 8].copy_from_slice(&number.to_le_bytes());
    }
    data[44..48].copy_from_slice(&(2_u32 << 16).to_le_bytes());
    data
}

const MAGIC: u64 = 0x65DF_65DF_65DF_65DF;

fn folder(files: &[(&str, Vec<u8>)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    files.iter().for_each(|(name, bytes)| std::fs::write(folder.path().join(name), bytes).unwrap());
    folder
}

const ALL: Frames = Frames { skip: 0, every: 1 };

fn of(
    folder: &TempDir,
    trajectory: &str,
    topology: Option<&str>,
    atoms: &Atoms,
    frames: Frames,
) -> crate::Result<Dataset> {
    let topology = topology.map(|name| folder.path().join(name));
    Dataset::dihedrals(&folder.path().join(trajectory), topology.as_deref(), atoms, frames, &Task::default())
}

fn degrees(data: &Dataset) -> Vec<f64> {
    data.points().unwrap().values().iter().map(|angle| f64::from(*angle).to_degrees()).collect()
}

const CUBE: [[f64; 3]; 3] = [[2.5, 0.0, 0.0], [0.0, 2.5, 0.0], [0.0, 0.0, 2.5]];

/// φ of −60° and others in every format, with bonds across the sides of the box.
#[test]
fn planted_angles_are_found_in_every_format() {
    let frames = across(&ANGLES, 1.0, CUBE);
    let moved = frames
        .iter()
        .flat_map(|frame| frame.windows(2))
        .filter(|pair| (0..3).any(|k| (pair[0][k] - pair[1][k]).abs() > 1.01));
    assert!(moved.count() >= 4, "hardly a bond crosses a side");
    let angstroms = across(&ANGLES, 10.0, CUBE.map(|edge| edge.map(|x| 10.0 * x)));
    // Atoms of water behind the molecule: more than nine are compressed.
    let with_water = |frame: &[[f64; 3]; 5]| {
        let water = (0..20).map(|at| [0.1 * f64::from(at), 0.5, 1.0]);
        frame.iter().copied().chain(water).collect::<Vec<_>>()
    };
    let bare: Vec<Vec<_>> = frames.iter().map(|frame| frame.to_vec()).collect();
    let wet: Vec<Vec<_>> = frames.iter().map(with_water).collect();
    let files = folder(&[
        ("a.gro", gro(&frames, "2.5 2.5 2.5")),
        ("a.pdb", pdb(&angstroms, "CRYST1   25.000   25.000   25.000  90.00  90.00  90.00 P 1           1")),
        ("a.xtc", xtc(&bare, CUBE)),
        ("wet.xtc", xtc(&wet, CUBE)),
        ("a.gsd", gsd(&frames, 2.5)),
    ]);
    let names = Atoms::backbone("phi psi").unwrap();
    let places = Atoms::Each([[0, 1, 2, 3], [1, 2, 3, 4]].map(|four| four.map(Place::At)).to_vec());
    let cases = [
        ("a.gro", None, &names, 0.05),
        ("a.pdb", None, &names, 0.05),
        ("a.xtc", Some("a.gro"), &names, 0.05),
        ("a.xtc", Some("a.pdb"), &names, 0.05),
        ("a.gsd", Some("a.gro"), &names, 0.01),
        ("a.gsd", None, &places, 0.01),
        ("wet.xtc", None, &places, 0.05),
    ];
    for (trajectory, topology, atoms, error) in cases {
        let data =
            of(&files, trajectory, topology, atoms, ALL).unwrap_or_else(|problem| panic!("{trajectory}: {problem}"));
        assert_eq!(data.points().unwrap().shape(), [4, 2], "{trajectory}");
        let found = degrees(&data);
        for (found, truth) in found.iter().zip(ANGLES.as_flattened()) {
            assert!((found - truth).abs() < error, "{trajectory}: {found} for {truth}");
        }
    }
    let part = of(&files, "a.gro", None, &names, Frames { skip: 1, every: 2 }).unwrap();
    assert!((degrees(&part)[0] + 60.0).abs() < 0.05 && (degrees(&part)[1] + 40.0).abs() < 0.05);
    assert_eq!(part.points().unwrap().shape(), [2, 2]);
}

/// A truncated octahedron as GROMACS has it, and the same as lengths and angles.
#[test]
fn skew_boxes_have_nearest_images_too() {
    let edges =
        [[3.0, 0.0, 0.0], [1.0, 2.0 * std::f64::consts::SQRT_2, 0.0], [-1.0, std::f64::consts::SQRT_2, 2.449_49]];
    let frames = across(&ANGLES, 1.0, edges);
    let angstroms = across(&ANGLES, 10.0, edges.map(|edge| edge.map(|x| 10.0 * x)));
    let bare: Vec<Vec<_>> = frames.iter().map(|frame| frame.to_vec()).collect();
    let files = folder(&[
        ("a.gro", gro(&frames, "3.0 2.82843 2.44949 0.0 0.0 1.0 0.0 -1.0 1.41421")),
        ("a.xtc", xtc(&bare, edges)),
        ("a.pdb", pdb(&angstroms, "CRYST1   30.000   30.000   30.000  70.53 109.47  70.53 P 1           1")),
    ]);
    for (trajectory, topology) in [("a.gro", None), ("a.xtc", Some("a.gro")), ("a.pdb", None)] {
        let data = of(&files, trajectory, topology, &Atoms::backbone("phi psi").unwrap(), ALL).unwrap();
        for (found, truth) in degrees(&data).iter().zip(ANGLES.as_flattened()) {
            assert!((found - truth).abs() < 0.3, "{trajectory}: {found} for {truth}");
        }
    }
}

#[test]
fn atoms_are_found_by_their_names() {
    let files = folder(&[("a.gro", gro(&across(&ANGLES, 1.0, CUBE), "2.5 2.5 2.5"))]);
    let named = |names: [&str; 4]| Atoms::Each(vec![names.map(|name| Place::Named(name.to_owned()))]);
    let phi = of(&files, "a.gro", None, &named(["ACE:C", "ALA:N", "CA", "2:C"]), ALL).unwrap();
    assert!((degrees(&phi)[0] + 60.0).abs() < 0.05);
    let refusal = |atoms: &Atoms| {
        let error = of(&files, "a.gro", None, atoms, ALL).unwrap_err();
        (error.to_string(), error.hint().unwrap_or_default().to_owned())
    };
    let (problem, hint) = refusal(&named(["ACE:C", "ALA:N", "ALA:CB", "ALA:C"]));
    assert_eq!(problem, "`atoms` names \"ALA:CB\", and there is no such atom");
    assert_eq!(hint, "did you mean `CA`?");
    let (problem, hint) = refusal(&named(["C", "ALA:N", "CA", "ALA:C"]));
    assert_eq!(
        (problem.as_str(), hint.as_str()),
        ("`atoms` names \"C\", which 2 atoms are called", "say which one: \"1:C\" or \"2:C\"")
    );
    assert_eq!(refusal(&named(["GLY:C", "N", "CA", "C"])).1, "the residues are 1 ACE, 2 ALA, 3 NME");
    let far = Atoms::Each(vec![[0, 1, 2, 5].map(Place::At)]);
    assert_eq!(refusal(&far).0, "`atoms` has the atom 5, and there are 5, from 0 on");
    let twice = Atoms::Each(vec![[0, 1, 1, 2].map(Place::At)]);
    assert!(refusal(&twice).0.ends_with("in frame 0 three of the atoms [0, 1, 1, 2] lie on a line or are not finite"));
    assert!(
        refusal(&Atoms::backbone("omega").unwrap()).0.ends_with("asks for omega, and no residue has the atoms of all")
    );
    assert_eq!(Atoms::backbone("phi pis").unwrap_err().hint(), Some("did you mean `psi`?"));
}

#[test]
fn damaged_files_are_refused() {
    let frames = across(&ANGLES, 1.0, CUBE);
    let wet: Vec<Vec<_>> = frames.iter().map(|frame| frame.iter().chain(frame).copied().collect()).collect();
    let (text, packed, hoomd) = (gro(&frames, "2.5 2.5 2.5"), xtc(&wet, CUBE), gsd(&frames, 2.5));
    let broken = |mut bytes: Vec<u8>, at: usize| {
        bytes[at] ^= 0xff;
        bytes
    };
    let files = folder(&[
        ("cut.gro", text[..text.len() - 40].to_vec()),
        ("word.gro", b"title\nmany\n".to_vec()),
        ("box.gro", gro(&frames, "2.5 2.5")),
        ("cut.xtc", packed[..packed.len() - 8].to_vec()),
        ("head.xtc", packed[..20].to_vec()),
        ("magic.xtc", broken(packed.clone(), 3)),
        ("count.xtc", broken(packed.clone(), 7)),
        ("cut.gsd", hoomd[..hoomd.len() - 100].to_vec()),
        ("text.gsd", text.clone()),
        ("none.pdb", b"TITLE\n".to_vec()),
        ("cut.pdb", b"MODEL 1\nATOM      1  C   ACE A   1       0.000   0.000   0.000\n".to_vec()),
        ("line.pdb", b"ATOM      1  C   ACE A   1       0.000   0.0x0   0.000\n".to_vec()),
        ("a.gro", text.clone()),
        ("a.xtc", packed.clone()),
        ("a.dcd", Vec::new()),
    ]);
    let names = Atoms::backbone("phi psi").unwrap();
    let refusal = |name: &str, topology: Option<&str>| {
        let error = of(&files, name, topology, &names, ALL).expect_err(name).to_string();
        error.replace(&format!("{}/", files.path().display()), "")
    };
    assert_eq!(refusal("cut.gro", None), "cannot read `cut.gro`: line 31 is no line of an atom in .gro");
    assert_eq!(refusal("word.gro", None), "cannot read `word.gro`: line 2 must be the number of atoms, got \"many\"");
    assert_eq!(refusal("box.gro", None), "cannot read `box.gro`: line 8 must have the 3 or 9 numbers of the box");
    let places = Atoms::Each(vec![[0, 1, 2, 3].map(Place::At)]);
    let without = |name: &str| {
        let error = of(&files, name, None, &places, ALL).expect_err(name).to_string();
        error.replace(&format!("{}/", files.path().display()), "")
    };
    assert_eq!(without("cut.xtc"), "cannot read `cut.xtc`: it ends inside frame 3");
    assert_eq!(without("head.xtc"), "cannot read `head.xtc`: it ends inside frame 0");
    assert!(without("magic.xtc").contains("frame 0 begins with "), "{}", without("magic.xtc"));
    assert!(without("count.xtc").contains("frame 0 is damaged"), "{}", without("count.xtc"));
    assert!(without("cut.gsd").contains("and points behind them"), "{}", without("cut.gsd"));
    assert!(without("text.gsd").ends_with("it does not begin as a .gsd file"));
    assert!(refusal("none.pdb", None).ends_with("it has no line of an atom"));
    assert!(refusal("cut.pdb", None).ends_with("it ends inside a model, without ENDMDL"));
    assert!(refusal("line.pdb", None).ends_with("line 1 is no line of an atom in .pdb"));
    assert_eq!(refusal("a.xtc", Some("a.gro")), "cannot use `a.xtc`: it has 10 atoms, and the topology 5");
    assert!(refusal("a.xtc", None).contains("needs names of atoms, which the trajectory has not"));
    assert!(refusal("a.xtc", Some("a.xtc")).ends_with("it has no names of atoms"));
    assert!(refusal("a.dcd", None).ends_with("its ending tells no format of trajectories"));
    let late = of(&files, "a.gro", None, &names, Frames { skip: 9, every: 1 }).unwrap_err().to_string();
    assert!(late.ends_with("none of its 4 frames is left after 9 are skipped"), "{late}");
}
