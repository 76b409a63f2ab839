"""GANs that are known for their networks: exceptions to the uniform field, ranked apart."""
