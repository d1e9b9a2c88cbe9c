import Kernels
import Parameters

/// The tables by which positions are known besides parameters: numbers that no training changes.
struct PositionTables: Sendable {
    private let added: ParameterVector
    private let angles: ParameterVector?
    private let positions: Int
    private let width: Int
    private let headWidth: Int
    /// The buckets of the self-attention of encoder and decoder.
    let encoderBuckets: RelativeBuckets?
    let decoderBuckets: RelativeBuckets?

    init(_ architecture: Architecture) {
        positions = architecture.positions
        width = architecture.dModel
        headWidth = architecture.dModel / architecture.heads
        let encoding = architecture.positionEncoding
        added =
            encoding == .sinusoidal
            ? Self.sinusoids(positions, width) : ParameterVector(count: positions * width)
        angles = encoding == .rotary ? Self.angles(positions, headWidth) : nil
        let isRelative = encoding == .relative
        encoderBuckets = isRelative ? RelativeBuckets(positions: positions, causal: false) : nil
        decoderBuckets = isRelative ? RelativeBuckets(positions: positions, causal: true) : nil
    }

    /// The vectors that are added to embeddings, zeros unless positions are sinusoidal.
    /// Shapes: [positions, d].
    var vectors: Matrix {
        Matrix(base: added.unsafeAddress, rows: positions, columns: width)
    }

    /// Cosine and sine of the angle of each pair of a head's columns, if positions are rotary.
    /// Shapes: [positions, d_h].
    var rotation: Matrix? {
        angles.map { Matrix(base: $0.unsafeAddress, rows: positions, columns: headWidth) }
    }

    /// sin(p / 10000^(2i/d)) in even columns 2i, cos of the same in the odd ones.
    /// Source: Vaswani et al. (2017), section 3.5.
    private static func sinusoids(_ positions: Int, _ d: Int) -> ParameterVector {
        let table = ParameterVector(count: positions * d)
        for column in 0..<d {
            let frequency = Self.frequency(column, of: d)
            for position in 0..<positions {
                let angle = Double(position) * frequency
                table[position * d + column] = Float(
                    column & 1 == 0 ? Elementary.sine(angle) : Elementary.cosine(angle))
            }
        }
        return table
    }

    /// cos(p / 10000^(2i/d)) in even columns 2i, sin of the same in the odd ones.
    private static func angles(_ positions: Int, _ d: Int) -> ParameterVector {
        let table = ParameterVector(count: positions * d)
        for column in 0..<d {
            let frequency = Self.frequency(column, of: d)
            for position in 0..<positions {
                let angle = Double(position) * frequency
                table[position * d + column] = Float(
                    column & 1 == 0 ? Elementary.cosine(angle) : Elementary.sine(angle))
            }
        }
        return table
    }

    /// 10000^(-2i/d) of columns 2i and 2i + 1.
    private static func frequency(_ column: Int, of d: Int) -> Double {
        Elementary.exponential(-Elementary.logarithm(10000.0) * Double(column & ~1) / Double(d))
    }
}
