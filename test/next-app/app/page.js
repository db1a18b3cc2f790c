export default function Page() {
  return (
    <main>
      <h1>The application</h1>
      <a href="/integrations/auth/productboard?return_to=/">Connect Productboard</a>
    </main>
  )
}
