"""What every main.py shares; read by the models' own pythons."""
