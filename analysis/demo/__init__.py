"""Synthetic studies with known truth, for the demo and for tests.

``ocv``           open-circuit voltage of the model electrode
``cell_model``    voltage of a cell in one step
``ageing``        how a cell changes from cycle to cycle
``protocol``      the cycler's program, and the noise-free rows of a test
``instrument``    noise, jitter and resolution
``cycler_files``  rows as files
``cells``         the cells of the study
``truth``         what an analysis must find
``study``         everything into one folder: ``write_study``

``spectra_model``     S K-edge spectra with known peaks
``spectra_study``     their files, manifest, truth: ``write_spectra``
``spectra_recovery``  how often intervals hold the truth

``particle_spectra``  Ni K-edge end members from measured references; the true edge energy of every definition
``particle_laws``     how particles of a group are built, and their state
``particle_model``    grains, cracks, isolated domains, surface, chemistry of one particle
``particle_files``    stacks and tomograms
``particle_frames``   raw frames with drift and magnification
``compound_file``     the container of raw frames
``particle_plans``    which particles there are, and each made again with the truth of every voxel
``particle_truth``    what an analysis must find
``particle_study``    their files, manifest, truth: ``write_particles``
"""
