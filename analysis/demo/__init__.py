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
"""
