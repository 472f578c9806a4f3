"""The files of an append log: found after a start, and those of many small appends written anew."""
