"""What a server does for the controls of documents: it reads their options, and computes their live figures."""
