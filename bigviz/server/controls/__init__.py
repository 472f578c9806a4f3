"""What a server does for the controls and filters of documents: it reads options, puts values in, and computes live
figures."""
