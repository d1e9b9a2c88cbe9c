// Embedded Swift, for which cluster/check-bits compiles this module, has no Codable.
#if !hasFeature(Embedded)
    /// A field that is absent has the value that all had before one could choose it.
    extension Architecture: Codable {
        private enum Key: String, CodingKey {
            case kind, norm, finalNorm, outputBias, normalisation, residual, activation,
                positionEncoding, tying
            case sharesQueryKey, dModel, encoderLayers, decoderLayers, dFF, heads, vocabulary
            case positions, dropout, attentionDropout
        }

        /// Reads the fields by name. Throws `DecodingError`; what is read has yet to be validated.
        package init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: Key.self)
            func given<Value: Decodable>(_ key: Key, else value: Value) throws -> Value {
                try values.decodeIfPresent(Value.self, forKey: key) ?? value
            }
            self.init(
                kind: try values.decode(Kind.self, forKey: .kind),
                norm: try values.decode(Norm.self, forKey: .norm),
                finalNorm: try given(.finalNorm, else: true),
                normalisation: try given(.normalisation, else: .layer),
                residual: try given(.residual, else: true),
                activation: try values.decode(Activation.self, forKey: .activation),
                positionEncoding: try given(.positionEncoding, else: .sinusoidal),
                tying: try given(.tying, else: .all),
                outputBias: try given(.outputBias, else: false),
                sharesQueryKey: try given(.sharesQueryKey, else: false),
                dModel: try values.decode(Int.self, forKey: .dModel),
                encoderLayers: try values.decode(Int.self, forKey: .encoderLayers),
                decoderLayers: try values.decode(Int.self, forKey: .decoderLayers),
                dFF: try values.decode(Int.self, forKey: .dFF),
                heads: try values.decode(Int.self, forKey: .heads),
                vocabulary: try values.decode(Int.self, forKey: .vocabulary),
                positions: try values.decode(Int.self, forKey: .positions),
                dropout: try values.decode(Float.self, forKey: .dropout),
                attentionDropout: try values.decodeIfPresent(Float.self, forKey: .attentionDropout))
        }

        /// Writes every field by name; a choice that older versions did not have, only where it is made.
        package func encode(to encoder: any Encoder) throws {
            var values = encoder.container(keyedBy: Key.self)
            try values.encode(kind, forKey: .kind)
            try values.encode(norm, forKey: .norm)
            try values.encode(normalisation, forKey: .normalisation)
            try values.encode(residual, forKey: .residual)
            try values.encode(activation, forKey: .activation)
            try values.encode(positionEncoding, forKey: .positionEncoding)
            try values.encode(tying, forKey: .tying)
            try values.encode(sharesQueryKey, forKey: .sharesQueryKey)
            try values.encode(dModel, forKey: .dModel)
            try values.encode(encoderLayers, forKey: .encoderLayers)
            try values.encode(decoderLayers, forKey: .decoderLayers)
            try values.encode(dFF, forKey: .dFF)
            try values.encode(heads, forKey: .heads)
            try values.encode(vocabulary, forKey: .vocabulary)
            try values.encode(positions, forKey: .positions)
            try values.encode(dropout, forKey: .dropout)
            try values.encode(attentionDropout, forKey: .attentionDropout)
            if !finalNorm { try values.encode(finalNorm, forKey: .finalNorm) }
            if outputBias { try values.encode(outputBias, forKey: .outputBias) }
        }
    }
#endif
