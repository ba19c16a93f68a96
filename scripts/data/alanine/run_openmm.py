"""Molecular dynamics of alanine dipeptide in implicit solvent: how stdlib/data/alanine_dihedrals.npy was made.

    pip install openmm numpy
    python scripts/data/alanine/run_openmm.py OUT.npy [NANOSECONDS]

OpenMM 8, amber03 with the OBC solvent, 300 K, Langevin middle integrator with friction 1/ps, time step 4 fs with bonds to
hydrogen constrained and hydrogen masses of 3 u, no cutoff; after minimisation and 100 ps of equilibration two trajectories
of 295 ns each, one row of (phi, psi) in radians, in (-pi, pi], per picosecond.
"""

import pathlib
import sys

import numpy as np
import openmm
from openmm import app, unit

STEPS_PER_PICOSECOND = 250
PHI_PSI = [("ACE", "C"), ("ALA", "N"), ("ALA", "CA"), ("ALA", "C"), ("NME", "N")]


def dihedral(a, b, c, d):
    """The angle of four points in the sign of IUPAC."""
    first, middle, last = b - a, c - b, d - c
    before, after = np.cross(first, middle), np.cross(middle, last)
    return np.arctan2(np.linalg.norm(middle) * first @ after, before @ after)


def trajectory(picoseconds, seed):
    """Rows of (phi, psi), one per picosecond."""
    peptide = app.PDBFile(str(pathlib.Path(__file__).with_name("peptide.pdb")))
    field = app.ForceField("amber03.xml", "amber03_obc.xml")
    modeller = app.Modeller(peptide.topology, peptide.positions)
    modeller.addHydrogens(field)
    system = field.createSystem(
        modeller.topology, nonbondedMethod=app.NoCutoff, constraints=app.HBonds, hydrogenMass=3 * unit.dalton
    )
    integrator = openmm.LangevinMiddleIntegrator(300 * unit.kelvin, 1 / unit.picosecond, 4 * unit.femtosecond)
    integrator.setRandomNumberSeed(seed)
    simulation = app.Simulation(modeller.topology, system, integrator)
    simulation.context.setPositions(modeller.positions)
    simulation.minimizeEnergy()
    simulation.context.setVelocitiesToTemperature(300 * unit.kelvin, seed)
    simulation.step(100 * STEPS_PER_PICOSECOND)
    places = {(atom.residue.name, atom.name): atom.index for atom in modeller.topology.atoms()}
    chosen = [places[atom] for atom in PHI_PSI]
    rows = np.empty((picoseconds, 2), np.float32)
    for row in rows:
        simulation.step(STEPS_PER_PICOSECOND)
        positions = simulation.context.getState(getPositions=True).getPositions(asNumpy=True)
        points = positions.value_in_unit(unit.nanometer)[chosen]
        row[:] = dihedral(*points[:4]), dihedral(*points[1:])
    return rows


def main():
    out = sys.argv[1]
    picoseconds = int(1000 * float(sys.argv[2] if len(sys.argv) > 2 else 295))
    np.save(out, np.concatenate([trajectory(picoseconds, seed) for seed in (1, 2)]))


if __name__ == "__main__":
    main()
