"""The hosts' programs: a client with errands, servers, a resolver. Each is told what to do by a JSON file."""
