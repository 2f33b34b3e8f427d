"""Countries' subdivisions, area codes and postal codes, and the zones that they are in: data, and their reading."""
