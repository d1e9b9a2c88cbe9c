// Embedded Swift, for which cluster/check-bits compiles this module, knows no system to ask.
#if !hasFeature(Embedded)
    import Resources

    extension Transformer {
        /// Checks that this process may take so many vectors of the model's parameters.
        /// Throws `ResourceError` if not.
        package func requireMemory(vectors: Int) throws(ResourceError) {
            let bytes = layout.count.multipliedReportingOverflow(
                by: vectors * MemoryLayout<Float>.stride)
            try Resources.requireMemory(bytes: bytes.overflow ? .max : bytes.partialValue)
        }
    }
#endif
