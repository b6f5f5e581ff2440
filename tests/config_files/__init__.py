"""What `config/` has for operators, read by the programs that it is made for."""
