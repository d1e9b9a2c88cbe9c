import Testing

@testable import Inference
@testable import Words

@Suite("Differences of tensors")
struct DifferenceTests {
    @Test func `numbers are compared by their bits, distances by their values`() {
        let same = TensorDifference("a", [1, -2, .nan], [1, -2, .nan])
        #expect(same.differing == 0 && same.largest == 0 && same.relative == 0)
        let one = TensorDifference("a", [3, 4], [3, 4.5])
        #expect(one.differing == 1 && one.largest == 0.5 && one.relative == 0.1)
        let zeros = TensorDifference("a", [0, 0], [-0.0, 0])
        #expect(zeros.differing == 1 && zeros.largest == 0 && zeros.relative == 0)
        let lost = TensorDifference("a", [1, 2], [.nan, 2])
        #expect(lost.differing == 1 && lost.largest.isNaN)
        #expect(TensorDifference("a", [0], [1]).relative == .infinity)
    }
}
