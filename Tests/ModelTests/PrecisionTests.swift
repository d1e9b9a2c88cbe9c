import Kernels
import Model
import Parameters
import Testing

@Suite("A model of bfloat16")
struct PrecisionTests {
    let plain: Sample
    let model: Transformer

    init() throws {
        plain = try Sample()
        model = try Transformer(plain.model.architecture, precision: .bf16)
    }

    private func gradient(
        _ copies: RoundedVector? = nil
    ) -> (loss: ShardLoss, gradient: ParameterVector) {
        let gradient = ParameterVector(count: model.layout.count)
        let loss = Lane(model).gradient(
            of: plain.input([3, 7, 1, 9]), parameters: plain.parameters, copies: copies,
            into: gradient, labelCount: 10, smoothing: 0.1,
            key: DropoutKey(seed: 3, step: 5, shard: 0), finished: { _ in })
        return (loss, gradient)
    }

    @Test("has nearly the loss and the gradient of the same model in float32")
    func isNear() {
        let exact = ParameterVector(count: model.layout.count)
        let loss = plain.gradient(Lane(plain.model), plain.input([3, 7, 1, 9]), into: exact)
        let other = gradient()
        #expect(other.loss.smoothed != loss.smoothed)
        #expect(abs(other.loss.smoothed - loss.smoothed) < 0.01 * loss.smoothed)
        let difference = zip(exact.floats(), other.gradient.floats()).reduce(0) {
            $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1))
        }
        let length = exact.floats().reduce(0) { $0 + Double($1 * $1) }
        #expect(difference > 0 && difference < 4e-4 * length)
    }

    @Test("has the same bits with its parameters kept rounded")
    func copies() {
        let copies = RoundedVector(count: model.layout.count)
        copies.set(0..<5, from: plain.parameters)
        copies.set(5..<copies.count, from: plain.parameters)
        let (alone, kept) = (gradient(), gradient(copies))
        #expect(alone.loss == kept.loss)
        #expect(alone.gradient.floats() == kept.gradient.floats())
        // Products do read the copies where they are of use.
        copies.set(0..<copies.count, from: ParameterVector(count: copies.count))
        let isRead = gradient(copies).gradient.floats() != alone.gradient.floats()
        #expect(isRead == Precision.bf16.keepsCopies)
    }
}
