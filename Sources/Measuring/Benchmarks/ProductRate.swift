import Kernels
import Model
import Resources
import Synchronization
import Threads

/// The rate of the products of a step, beside the peak of the cores that compute them.
///
/// Operations per second of all lanes together, by their threads' clocks. Each product has the weight of
/// its share of the step's operations: forward, and the gradients of both factors.
struct ProductRate {
    /// Multiply-adds between registers, of pairs of bfloat16 where the products use that instruction.
    let peak: Double
    /// Of products of 10⁶ multiply-adds and more, and of smaller ones; 0 where there are none.
    let large, small: Double

    private static let slice = 0.05
    private static let large = 2e6

    /// All lanes compute the same, each every shape for up to `slice` seconds; after each slice of
    /// products comes one of the peak, so that both see the same core.
    static func measure(
        _ costs: [StepCost], _ precision: Precision, threads: Int
    ) throws(ResourceError) -> ProductRate {
        var counts: [Shape: Int] = [:]
        for product in costs.flatMap(\.products) {
            for shape in Shape.training(product) { counts[shape, default: 0] += product.count }
        }
        let shapes = counts.sorted { $0.key < $1.key }
        let pool = try LanePool(lanes: threads)
        defer { pool.stop() }
        let total = Mutex((peak: 0.0, large: 0.0, small: 0.0))
        pool.runAndWait { _ in
            let lane = lane(shapes, precision)
            total.withLock {
                $0 = ($0.peak + lane.peak, $0.large + lane.large, $0.small + lane.small)
            }
        }
        let sums = total.withLock { $0 }
        return ProductRate(peak: sums.peak, large: sums.large, small: sums.small)
    }

    private init(peak: Double, large: Double, small: Double) {
        self.peak = peak
        self.large = large
        self.small = small
    }

    private static func lane(
        _ shapes: [(key: Shape, value: Int)], _ precision: Precision
    ) -> ProductRate {
        // Real sentences bring many shapes, each gets less time then.
        let time = min(slice, 2 / Double(max(1, shapes.count)))
        func peak() -> Double { MultiplyAddPeak.measure(seconds: slice, precision) }
        var (large, small, peaks) = (Sum(), Sum(), [peak()])
        var owed = 0.0
        for (shape, count) in shapes {
            let rate = shape.rate(seconds: time, precision)
            if shape.operations < Self.large {
                small.add(shape.operations * Double(count), at: rate)
            } else {
                large.add(shape.operations * Double(count), at: rate)
            }
            owed += time
            if owed >= slice {
                owed = 0
                peaks.append(peak())
            }
        }
        let mean = peaks.reduce(0, +) / Double(peaks.count)
        return ProductRate(peak: mean, large: large.rate, small: small.rate)
    }

    /// Operations, and the seconds that they take.
    private struct Sum {
        var operations = 0.0
        var seconds = 0.0

        mutating func add(_ count: Double, at rate: Double) {
            operations += count
            seconds += count / rate
        }

        var rate: Double { operations == 0 ? 0 : operations / seconds }
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

        /// Operations per second of this thread, after one product that warms up.
        func rate(seconds: Double, _ precision: Precision) -> Double {
            let (arena, multiplier) = (Arena(), Multiplier(precision: precision))
            let c = arena.matrix(rows, columns)
            let (a, b) = operands(arena)
            multiply(multiplier, a, b, c)
            var (repeats, spent) = (0, 0.0)
            repeat {
                let start = ThreadClock.seconds()
                multiply(multiplier, a, b, c)
                spent += ThreadClock.seconds() - start
                repeats += 1
            } while spent < seconds
            return Double(repeats) * operations / spent
        }

        private func operands(_ arena: Arena) -> (Matrix, Matrix) {
            let a = form == .transposedTimes ? (inner, rows) : (rows, inner)
            let b = form == .timesTransposed ? (columns, inner) : (inner, columns)
            let (first, second) = (arena.matrix(a.0, a.1), arena.matrix(b.0, b.1))
            first.fill(0.5)
            second.fill(0.25)
            return (first, second)
        }

        private func multiply(_ multiplier: Multiplier, _ a: Matrix, _ b: Matrix, _ c: Matrix) {
            switch form {
            case .timesTransposed: multiplier.timesTransposed(a, b, into: c)
            case .times: multiplier.times(a, b, into: c)
            case .transposedTimes: multiplier.transposedTimes(a, b, into: c)
            }
        }

        static func < (left: Shape, right: Shape) -> Bool {
            (left.rows, left.columns, left.inner, left.form.rawValue)
                < (right.rows, right.columns, right.inner, right.form.rawValue)
        }
    }
}
