"""Payload files held against contracts, tracking plans and rules: what ``trackside validate`` does.

`inputs` opens files and cuts them into parts, `checker` judges a part and gives findings, `run` puts both together,
in one process or several, and `reports` writes what was found. Nothing here imports Flask or Faker, and memory does not
grow with the input.
"""
