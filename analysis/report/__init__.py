"""Review boards leave the program: as pages, slides, pictures, tables, words; and whole studies as archives.

- ``pins``     figures frozen with what they stand on, and drawn from that alone
- ``notes``    Markdown of people → HTML without markup of their own, or plain text
- ``pictures`` figures as PNG, SVG, PDF; pages as PDF
- ``web``      a board as one HTML file; ``paper`` as PDF; ``slides`` as PPTX; ``figure_files`` at journal sizes
- ``numbers``  all numbers of a board as one table; ``methods`` how they were made, in sentences
- ``export``   the one entrance to all of these
- ``archive``  a whole study in one file; ``unarchive`` back into a workspace
"""
