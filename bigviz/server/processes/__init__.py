"""`--num-procs`: several processes behind one port, and what makes them answer as one."""
