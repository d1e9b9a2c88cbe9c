import Kernels
import Model
import Resources
import Synchronization

/// The rate of plain sgemm on the products of a step, which a step's own rate is compared with.
enum ProductRate {
    /// Operations per second of `threads` threads together, each product weighted by its share of
    /// the operations: forward, and the gradients of both factors.
    static func measure(_ costs: [StepCost], threads: Int) throws(ResourceError) -> Double {
        var counts: [Shape: Int] = [:]
        for product in costs.flatMap(\.products) {
            for shape in Shape.training(product) { counts[shape, default: 0] += product.count }
        }
        let shapes = counts.sorted { $0.key < $1.key }
        let pool = try LanePool(lanes: threads)
        defer { pool.stop() }
        // Real sentences bring many shapes, each gets less time then.
        let budget = max(2e6, min(2e8, 2e10 / Double(max(1, shapes.count))))
        // One pass warms up, the second is measured.
        _ = pass(shapes, pool, budget)
        let (operations, seconds) = pass(shapes, pool, budget)
        return operations / seconds
    }

    /// The sums over all shapes of operations, and of seconds that these take at the rate measured.
    private static func pass(
        _ shapes: [(key: Shape, value: Int)], _ pool: LanePool, _ budget: Double
    ) -> (operations: Double, seconds: Double) {
        let rates = shapes.map { rate($0.key, pool, budget) }
        var operations = 0.0
        var seconds = 0.0
        for ((shape, count), rate) in zip(shapes, rates) {
            operations += shape.operations * Double(count)
            seconds += shape.operations * Double(count) / rate
        }
        return (operations, seconds)
    }

    /// Operations per second of all lanes together on one shape, over `budget` operations a lane.
    private static func rate(_ shape: Shape, _ pool: LanePool, _ budget: Double) -> Double {
        let repeats = max(2, Int(budget / shape.operations))
        let total = Mutex(0.0)
        pool.runAndWait { _ in
            let seconds = PlainProduct.seconds(
                rows: shape.rows, columns: shape.columns, inner: shape.inner,
                transposeA: shape.form == .transposedTimes,
                transposeB: shape.form == .timesTransposed, repeats: repeats)
            total.withLock { $0 += Double(repeats) * shape.operations / seconds }
        }
        return total.withLock { $0 }
    }

    private struct Shape: Hashable, Comparable {
        enum Form: Int { case timesTransposed, times, transposedTimes }
        var rows: Int
        var columns: Int
        var inner: Int
        var form: Form

        var operations: Double { 2 * Double(rows) * Double(columns) * Double(inner) }

        /// y = x Wᵀ, dx = dy W, dW = dyᵀ x.
        static func training(_ product: StepCost.Product) -> [Shape] {
            let (m, n, k) = (product.rows, product.columns, product.inner)
            return [
                Shape(rows: m, columns: n, inner: k, form: .timesTransposed),
                Shape(rows: m, columns: k, inner: n, form: .times),
                Shape(rows: n, columns: k, inner: m, form: .transposedTimes),
            ]
        }

        static func < (left: Shape, right: Shape) -> Bool {
            (left.rows, left.columns, left.inner, left.form.rawValue)
                < (right.rows, right.columns, right.inner, right.form.rawValue)
        }
    }
}
