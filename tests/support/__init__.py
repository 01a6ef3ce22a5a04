"""What tests share: stand-ins for Hub and Space, drawn clips, made-up audits, pages in a browser."""
