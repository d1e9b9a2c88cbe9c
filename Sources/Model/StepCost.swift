/// The matrix products of a training step, counted from the sizes of the model and of the sentences.
///
/// A forward product of [m, k] by [k, n] is 2·m·n·k operations; training adds the gradients of both
/// factors, as much again each. Encoder matrices run over source tokens, as do the keys and values
/// of cross-attention. The other matrices and the output projection run over target tokens.
/// Look-ups cost nothing, recomputation is not counted.
package struct StepCost: Sendable {
    /// One forward product and how often a step computes it.
    package struct Product: Hashable, Sendable {
        /// The rows of the result, m.
        package var rows: Int
        /// The columns of the result, n.
        package var columns: Int
        /// The length of the sums, k.
        package var inner: Int
        /// The number of times that a step computes it.
        package var count: Int

        /// The floating-point operations of all of them: 2·m·n·k each.
        package var operations: Double {
            2 * Double(rows) * Double(columns) * Double(inner) * Double(count)
        }
    }

    /// The forward products, without those of no rows.
    package let products: [Product]

    /// Counts the products; `sequences` has source and target lengths
    /// of the sentences of one shard.
    package init(_ architecture: Architecture, sequences: [(source: Int, target: Int)]) {
        let d = architecture.dModel
        let sources = sequences.reduce(0) { $0 + $1.source }
        let targets = sequences.reduce(0) { $0 + $1.target }
        let hasEncoder = architecture.kind == .encoderDecoder
        var products: [Product] = []
        func add(_ rows: Int, _ columns: Int, _ inner: Int, _ count: Int) {
            guard rows > 0, count > 0 else { return }
            products.append(Product(rows: rows, columns: columns, inner: inner, count: count))
        }
        func addSelfAttentionAndFeedForward(_ tokens: Int, _ layers: Int) {
            add(tokens, (architecture.sharesQueryKey ? 2 : 3) * d, d, layers)
            add(tokens, d, d, layers)
            add(tokens, (architecture.activation.isGated ? 2 : 1) * architecture.dFF, d, layers)
            add(tokens, d, architecture.dFF, layers)
        }
        func addAttention(_ queries: Int, _ keys: Int, _ layers: Int) {
            let head = d / architecture.heads
            add(queries, keys, head, architecture.heads * layers)
            add(queries, head, keys, architecture.heads * layers)
        }
        if hasEncoder {
            addSelfAttentionAndFeedForward(sources, architecture.encoderLayers)
            add(sources, 2 * d, d, architecture.decoderLayers)
            add(targets, d, d, 2 * architecture.decoderLayers)
        }
        addSelfAttentionAndFeedForward(targets, architecture.decoderLayers)
        add(targets, architecture.vocabulary, d, 1)
        for (source, target) in sequences {
            if hasEncoder {
                addAttention(source, source, architecture.encoderLayers)
                addAttention(target, source, architecture.decoderLayers)
            }
            addAttention(target, target, architecture.decoderLayers)
        }
        self.products = products
    }

    /// The number of floating-point operations of forward and backward pass.
    package var trainingOperations: Double { 3 * products.reduce(0) { $0 + $1.operations } }
}
