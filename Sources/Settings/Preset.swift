/// The sizes that a name stands for.
package enum Preset: String, CaseIterable, Codable, Sendable {
    case tiny, small, base

    /// The width, the layers of each stack, the inner width and the heads.
    package var sizes: (dModel: Int, layers: Int, dFF: Int, heads: Int) {
        switch self {
        case .tiny: (128, 2, 512, 4)
        case .small: (256, 3, 1024, 4)
        case .base: (512, 6, 2048, 8)
        }
    }

    /// `tiny 128, 2, 512, 4; …`, in the order d-model, layers, d-ff, heads.
    static var list: String {
        allCases.map {
            let (dModel, layers, dFF, heads) = $0.sizes
            return "\($0) \(dModel), \(layers), \(dFF), \(heads)"
        }.joined(separator: "; ")
    }
}
